// Server-sent events from the body of an answer.

/** The events {name, data, id} of a stream of bytes; id is null where an event has none. */
export async function* events(body) {
  let rest = "";
  for await (const text of chunks(body)) {
    const blocks = (rest + text).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const event = parse(block);
      if (event.data) yield event;
    }
  }
}

async function* chunks(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    yield value;
  }
}

function parse(block) {
  const event = { name: "message", data: "", id: null };
  for (const line of block.split("\n")) {
    const at = line.indexOf(": ");
    const value = line.slice(at + 2);
    if (line.startsWith("event: ")) event.name = value;
    else if (line.startsWith("data: ")) event.data += value;
    else if (line.startsWith("id: ")) event.id = value;
  }
  return event;
}

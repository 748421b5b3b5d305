// The site's search runs in a worker, and browsers start none for a page opened from a folder (file:).
// There the worker's script runs in a hidden frame instead. The search asks for `IFrameWorker` to know its base.
if (location.protocol === "file:") {
  class IFrameWorker extends EventTarget {
    constructor(url) {
      super();
      this.onmessage = null;
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.documentElement.append(frame);
      this.inside = frame.contentWindow;
      this.inside.importScripts = (...names) => names.reduce((done, name) => done.then(() => this.load(name)), Promise.resolve());
      this.inside.postMessage = (data) => this.answer(data);
      this.ready = this.load(String(url));
    }

    load(url) {
      const script = this.inside.document.createElement("script");
      script.src = url;
      return new Promise((loaded, failed) => {
        script.onload = loaded;
        script.onerror = failed;
        this.inside.document.body.append(script);
      });
    }

    answer(data) {
      const event = new MessageEvent("message", { data });
      this.dispatchEvent(event);
      if (this.onmessage) this.onmessage(event);
    }

    postMessage(data) {
      this.ready.then(() => this.inside.dispatchEvent(new MessageEvent("message", { data })));
    }

    terminate() {}
  }
  window.IFrameWorker = window.Worker = IFrameWorker;
}

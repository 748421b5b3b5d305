// Files that somebody chooses.

/** The text of a file, unpacked where it is gzipped. */
export const textOf = (file) => new Response(file.name.endsWith(".gz") ? file.stream().pipeThrough(new DecompressionStream("gzip")) : file.stream()).text();

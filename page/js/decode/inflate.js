const PIECE = 4 * 1024; // a browser inflates all it is given before it lets go of any: at most a thousand times this

/**
 * The bytes that were compressed as "gzip" or "deflate" (zlib): `{ bytes, isCut, isDamaged }`. At most `most` bytes, so
 * that a few that stand for very many do no harm; of what is damaged, what could be read.
 */
export async function inflate(compressed, format, most) {
  const reader = piecesOf(compressed).pipeThrough(new DecompressionStream(format)).getReader();
  const parts = [];
  let size = 0;
  let isDamaged = false;
  try {
    for (let part = await reader.read(); !part.done && size <= most; part = await reader.read()) {
      parts.push(part.value);
      size += part.value.length;
    }
  } catch {
    isDamaged = true; // whatever a browser calls it
  }
  if (size > most) reader.cancel().catch(() => {});
  return { bytes: joined(parts, Math.min(size, most)), isCut: size > most, isDamaged };
}

function piecesOf(bytes) {
  let at = 0;
  const pull = (controller) => {
    if (at >= bytes.length) controller.close();
    else controller.enqueue(bytes.slice(at, (at += PIECE)));
  };
  return new ReadableStream({ pull }, { highWaterMark: 0 });
}

function joined(parts, size) {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part.subarray(0, size - at), at);
    at = Math.min(size, at + part.length);
  }
  return bytes;
}

/** Messages of DNS (RFC 1035), piece by piece. */

/** Bytes of labels, without the end of the name. */
export function labels(...texts: readonly string[]): Buffer {
  return Buffer.concat(texts.flatMap((text) => [Buffer.from([Buffer.byteLength(text)]), Buffer.from(text)]))
}

/** A whole name. */
export function name(...texts: readonly string[]): Buffer {
  return Buffer.concat([labels(...texts), Buffer.from([0])])
}

export function pointerTo(at: number): Buffer {
  return Buffer.from([0xc0 | ((at >> 8) & 0x3f), at & 0xff])
}

/** The header of a message with so many answers. */
export function header(answers: number, flags = 0x8400): Buffer {
  const bytes = Buffer.alloc(12)
  bytes.writeUInt16BE(flags, 2)
  bytes.writeUInt16BE(answers, 6)
  return bytes
}

/** A record; its class says that it is the only one. */
export function record(owner: Buffer, type: number, data: Buffer, ttl = 120): Buffer {
  const fixed = Buffer.alloc(10)
  fixed.writeUInt16BE(type, 0)
  fixed.writeUInt16BE(0x8001, 2)
  fixed.writeUInt32BE(ttl, 4)
  fixed.writeUInt16BE(data.length, 8)
  return Buffer.concat([owner, fixed, data])
}

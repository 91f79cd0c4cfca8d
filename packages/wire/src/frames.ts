import { Transform } from 'node:stream'

/**
 * The engine's own multiplexing of output (Docker Engine API, "Stream format"): byte 0 is the kind (0 stdin, 1 stdout,
 * 2 stderr), bytes 4–7 the payload length, big endian. Kind 3 is ours: a JSON object that ends an exec.
 */
export const frameKinds = { stdout: 1, stderr: 2, end: 3 } as const
const headerBytes = 8

export interface Frame {
  readonly kind: number
  readonly payload: Buffer
}

export function encodeFrame(kind: number, payload: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(headerBytes + payload.length)
  frame.writeUInt32BE(0, 0)
  frame[0] = kind
  frame.writeUInt32BE(payload.length, 4)
  payload.copy(frame, headerBytes)
  return frame
}

/**
 * Bytes in, `Frame` objects out. A payload is handed on in pieces as it arrives (each as a frame of the same kind), so
 * memory stays bounded whatever length a header claims; only an `end` frame is put together whole.
 */
export class FrameDecoder extends Transform {
  #header: Buffer = Buffer.alloc(0)
  #kind = 0
  #left = 0
  #end: Buffer[] = []

  constructor() {
    super({ readableObjectMode: true })
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    let rest = chunk
    while (rest.length > 0) {
      if (this.#left > 0) rest = this.#take(rest)
      else rest = this.#readHeader(rest)
    }
    done()
  }

  #readHeader(rest: Buffer): Buffer {
    const need = headerBytes - this.#header.length
    this.#header =
      this.#header.length === 0 ? rest.subarray(0, need) : Buffer.concat([this.#header, rest.subarray(0, need)])
    if (this.#header.length === headerBytes) {
      this.#kind = this.#header.readUInt8(0)
      this.#left = this.#header.readUInt32BE(4)
      this.#header = Buffer.alloc(0)
    }
    return rest.subarray(need)
  }

  #take(rest: Buffer): Buffer {
    const payload = rest.subarray(0, this.#left)
    this.#left -= payload.length
    if (this.#kind === frameKinds.end) {
      this.#end.push(payload)
      if (this.#left === 0) this.push({ kind: this.#kind, payload: Buffer.concat(this.#end.splice(0)) } satisfies Frame)
    } else {
      this.push({ kind: this.#kind, payload } satisfies Frame)
    }
    return rest.subarray(payload.length)
  }
}

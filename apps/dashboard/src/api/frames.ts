/** What the native API's streams are made of, see docs/api/native.md. */
export const frameKinds = { stdout: 1, stderr: 2, end: 3 } as const

/** A frame, or the part of one that has come: of the same kind as its other parts. */
export interface Frame {
  readonly kind: number
  readonly bytes: Uint8Array<ArrayBuffer>
}

const headerBytes = 8

/** Takes frames apart as they come; nothing but a header is ever held. */
export function framesOf(answer: Response): ReadableStream<Frame> {
  const body = answer.body ?? new ReadableStream<Uint8Array<ArrayBuffer>>({ start: (controller) => controller.close() })
  const isFramed = answer.headers.get('content-type')?.includes('multiplexed') === true
  return body.pipeThrough(isFramed ? parsed() : raw())
}

function raw(): TransformStream<Uint8Array<ArrayBuffer>, Frame> {
  return new TransformStream({
    transform: (bytes, controller) => controller.enqueue({ kind: frameKinds.stdout, bytes }),
  })
}

function parsed(): TransformStream<Uint8Array<ArrayBuffer>, Frame> {
  const header = new Uint8Array(headerBytes)
  let [filled, left] = [0, 0]
  return new TransformStream({
    transform(chunk, controller) {
      let rest = chunk
      while (rest.length > 0) {
        if (left > 0) {
          const bytes = rest.subarray(0, left)
          controller.enqueue({ kind: header[0] ?? 0, bytes })
          left -= bytes.length
          rest = rest.subarray(bytes.length)
        } else {
          const part = rest.subarray(0, headerBytes - filled)
          header.set(part, filled)
          filled += part.length
          rest = rest.subarray(part.length)
          if (filled < headerBytes) continue
          left = new DataView(header.buffer).getUint32(4)
          filled = 0
        }
      }
    },
  })
}

/** `read` gets each frame, until the stream ends or breaks. */
export async function readFrames(stream: ReadableStream<Frame>, read: (frame: Frame) => void): Promise<void> {
  const reader = stream.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    read(value)
  }
}

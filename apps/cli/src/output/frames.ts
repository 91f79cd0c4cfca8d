import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Frame, FrameDecoder, frameKinds } from '@gantry/wire/frames'

export interface Outputs {
  readonly stdout: Writable
  readonly stderr: Writable
}

/**
 * Writes a streamed answer to stdout and stderr, at the pace they take it. Answers with the exit code of an `end` frame,
 * or undefined if there was none.
 */
export async function writeStream(answer: IncomingMessage, outputs: Outputs): Promise<number | undefined> {
  if (answer.headers['content-type'] !== 'application/vnd.docker.multiplexed-stream') {
    await pipeline(answer, outputs.stdout, { end: false })
    return undefined
  }
  let exitCode: number | undefined
  await pipeline(answer, new FrameDecoder(), async (frames: AsyncIterable<Frame>) => {
    for await (const { kind, payload } of frames) {
      if (kind === frameKinds.end) exitCode = exitCodeOf(payload)
      else await write(kind === frameKinds.stderr ? outputs.stderr : outputs.stdout, payload)
    }
  })
  return exitCode
}

async function write(output: Writable, payload: Buffer): Promise<void> {
  if (!output.write(payload)) await once(output, 'drain')
}

function exitCodeOf(payload: Buffer): number | undefined {
  const end: unknown = JSON.parse(payload.toString('utf8'))
  if (typeof end !== 'object' || end === null || !('exitCode' in end)) return undefined
  return typeof end.exitCode === 'number' ? end.exitCode : undefined
}

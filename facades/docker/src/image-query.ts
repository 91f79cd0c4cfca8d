import { Readable } from 'node:stream'
import { sendStream } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import type { FastifyReply, FastifyRequest } from 'fastify'

export type Query = Readonly<Record<string, string | readonly string[] | undefined>>

export function textIn(query: Query, key: string): string {
  const [value = ''] = [query[key] ?? []].flat()
  return value
}

export function listIn(query: Query, key: string): string[] {
  return [query[key] ?? []].flat().filter((value) => value !== '')
}

/** A body that is no JSON: a tar of any length. */
export function tarOf({ body }: FastifyRequest): Readable {
  return body instanceof Readable ? body : Readable.from([])
}

/** Progress, or an archive: its head leaves at once. */
export async function sendFlow(
  reply: FastifyReply,
  output: Readable,
  type = 'application/json',
): Promise<FastifyReply> {
  await sendStream(reply, output, { 'content-type': type })
  return reply
}

/** Only what the hosts run: another one would be pulled and fail when it starts. */
export function checkPlatform(platform: string): void {
  const [os = '', arch = ''] = platform.toLowerCase().split('/')
  const own =
    process.arch === 'x64' ? ['amd64', 'x86_64'] : [process.arch === 'arm64' ? 'arm64' : process.arch, 'aarch64']
  if (platform === '' || (os === 'linux' && (arch === '' || own.includes(arch)))) return
  const reason = `the hosts run linux/${own[0]}`
  throw new Fault('request.unsupported', { feature: `Platform ${platform.slice(0, 60)}`, reason })
}

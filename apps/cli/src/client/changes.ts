import type { ChangeView } from '@gantry/facade-native'
import type { Api } from './api.ts'
import { Failure } from '../failure.ts'

export interface ChangesQuery {
  readonly since: string
  readonly types?: string
  readonly object?: string
  readonly follow: boolean
  readonly allProjects?: boolean
}

const longestLine = 4 * 1024 * 1024
const patienceMs = 60_000

/** Changes from a cursor on. A connection that is lost is made again, to whichever server answers, and goes on where it was. */
export async function* readChanges(api: Api, { since, ...query }: ChangesQuery): AsyncGenerator<ChangeView> {
  let cursor = since
  let goodAt = Date.now()
  for (;;) {
    try {
      const call = { path: '/v1/events', query: { ...query, since: cursor }, headers: { accept: 'text/event-stream' } }
      for await (const { event, id, data } of blocksOf(await api.stream(call))) {
        goodAt = Date.now()
        if (event === 'change') yield JSON.parse(data) as ChangeView
        if (event === 'error') throw new Failure((JSON.parse(data) as { message: string }).message)
        cursor = id ?? cursor
      }
      if (!query.follow) return
    } catch (error) {
      const lost = !(error instanceof Failure) || error.message.includes('connection')
      if (!lost || Date.now() - goodAt > patienceMs) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

interface Block {
  readonly event: string
  readonly id: string | undefined
  readonly data: string
}

/** Server-sent events with their names and ids (HTML Living Standard §9.2). */
async function* blocksOf(stream: AsyncIterable<Buffer>): AsyncGenerator<Block> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of stream) {
    const blocks = (rest + decoder.decode(chunk, { stream: true })).split('\n\n')
    rest = blocks.pop() ?? ''
    if (rest.length > longestLine) throw new Error('an event is too long')
    for (const block of blocks) {
      const fields = new Map(block.split('\n').map((line) => [line.split(':', 1)[0], line.replace(/^[^:]*: ?/, '')]))
      const data = fields.get('data')
      if (data !== undefined) yield { event: fields.get('event') ?? 'message', id: fields.get('id'), data }
    }
  }
}

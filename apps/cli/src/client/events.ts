import type { EventView } from '@gantry/facade-native'
import type { Api } from './api.ts'

const longestLine = 1024 * 1024

/** Opens the event stream. When this resolves, nothing that happens afterwards is missed. */
export async function openEvents(
  api: Api,
  allProjects: boolean,
  signal: AbortSignal,
): Promise<AsyncGenerator<EventView>> {
  const query = allProjects ? { allProjects: true } : {}
  const headers = { accept: 'text/event-stream' }
  return parseEvents(await api.stream({ path: '/v1/events', query, headers, signal }))
}

async function* parseEvents(stream: AsyncIterable<Buffer>): AsyncGenerator<EventView> {
  for await (const data of dataOf(stream)) yield JSON.parse(data) as EventView
}

/** The `data:` of server-sent events (HTML Living Standard §9.2); comments and other fields are skipped. */
export async function* dataOf(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > longestLine) throw new Error('an event is too long')
    for (const line of lines) if (line.startsWith('data:')) yield line.slice('data:'.length).trim()
  }
}

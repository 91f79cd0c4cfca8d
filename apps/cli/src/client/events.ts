import type { IncomingMessage } from 'node:http'
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

/** Server-sent events with a JSON `data:` (HTML Living Standard §9.2); comments and other fields are skipped. */
async function* parseEvents(stream: IncomingMessage): AsyncGenerator<EventView> {
  let rest = ''
  stream.setEncoding('utf8')
  for await (const chunk of stream) {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > longestLine) throw new Error('an event is too long')
    for (const line of lines) {
      if (line.startsWith('data:')) yield JSON.parse(line.slice(5)) as EventView
    }
  }
}

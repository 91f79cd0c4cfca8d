import type { ChangeView } from '@gantry/facade-native/views'
import { request } from '../../api/client.ts'

/** As far back as one looks; the newest of them are kept. */
const most = 500

/** What was written down of an object, oldest first. What is new is heard of by the page's own stream. */
export async function pastChanges(objectId: string, signal: AbortSignal): Promise<readonly ChangeView[]> {
  const query = { since: '0', follow: false, object: objectId }
  const answer = await request('/v1/events', { query, signal })
  return changesOf(await answer.text()).slice(-most)
}

/** Of the text of server-sent events (HTML Living Standard §9.2), those named `change`. */
export function changesOf(text: string): readonly ChangeView[] {
  return text.split('\n\n').flatMap((block) => {
    const lines = block.split('\n')
    const data = lines.find((line) => line.startsWith('data: '))
    return lines.includes('event: change') && data ? [JSON.parse(data.slice(6)) as ChangeView] : []
  })
}

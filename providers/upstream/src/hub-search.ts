import type { UpstreamFound } from '@gantry/control'
import { inTime, jsonOf, readSmall } from './answers.ts'
import type { RegistryClient } from './registry-client.ts'
import { isHub, nameOf } from './hub-names.ts'

const mostBytes = 1024 * 1024
const timeoutMs = 60_000

/** The old index's search: Docker Hub and some others have it; empty where there is none. */
export async function searchIndex(
  client: RegistryClient,
  domain: string,
  term: string,
  limit: number,
  signal: AbortSignal,
): Promise<UpstreamFound[]> {
  const query = new URLSearchParams({ q: term, n: String(limit) })
  const path = `/v1/search?${query.toString()}`
  const asked = {
    domain,
    login: null,
    scope: null,
    path: isHub(domain) ? `https://index.docker.io${path}` : path,
  }
  return inTime(nameOf(domain), timeoutMs, signal, async (within) => {
    const answered = await client.ask(asked, within)
    const { statusCode, body } = answered.answer
    if (statusCode === 404) {
      await body.dump()
      return []
    }
    if (statusCode !== 200) throw await client.refusal(asked, answered)
    const content = await readSmall(body, mostBytes)
    const { results } = jsonOf(content?.toString() ?? '')
    return Array.isArray(results) ? (results as unknown[]).flatMap(foundOf).slice(0, limit) : []
  })
}

function foundOf(value: unknown): UpstreamFound[] {
  if (typeof value !== 'object' || value === null) return []
  const row = value as Record<string, unknown>
  const { name, description, star_count: stars } = row
  if (typeof name !== 'string') return []
  return [
    {
      name,
      description: typeof description === 'string' ? description : '',
      official: row['is_official'] === true,
      automated: row['is_automated'] === true,
      stars: typeof stars === 'number' ? stars : 0,
    },
  ]
}

import type { AuditMarker, AuditQuery } from '@gantry/control'
import type { AuditRecord, ProjectId } from '@gantry/model'
import { expect, test } from 'vitest'
import { openStore } from '../testing/open-store.ts'

const p1 = 'p1' as ProjectId
const begin = Date.UTC(2026, 10, 29)

/** The n-th call; an odd one is of project p2. */
function record(n: number, more: Partial<AuditRecord> = {}): AuditRecord {
  return {
    typeURI: 'http://schemas.dmtf.org/cloud/audit/1.0/event',
    id: `req-${n}`,
    eventType: 'activity',
    eventTime: new Date(begin + n * 1000).toISOString(),
    action: n % 3 === 0 ? 'delete' : 'update/stop',
    outcome: 'success',
    reason: { reasonType: 'HTTP', reasonCode: '200' },
    initiator: {
      typeURI: 'service/security/account/user',
      id: `u${n % 2}`,
      name: n % 2 === 0 ? 'ann' : 'bob',
      project_id: n % 2 === 0 ? 'p1' : 'p2',
      host: { address: '127.0.0.1', agent: 'x' },
    },
    target: { typeURI: 'service/compute', id: `c${n}`, name: '/v1/containers/:ref' },
    observer: { typeURI: 'service/compute', id: 'a server' },
    requestPath: `/v1/containers/c${n}`,
    ...more,
  }
}

test('records come newest first, a page at a time, each once, whatever is written in between', async () => {
  await using opened = await openStore()
  const { audit } = opened.store
  await audit.add(Array.from({ length: 25 }, (_none, n) => record(n)))
  const seen: string[] = []
  let marker: AuditMarker | undefined
  for (let pages = 0; pages < 10; pages += 1) {
    const page = await audit.page({ scope: null, limit: 10, ...(marker && { marker }) })
    seen.push(...page.records.map(({ id }) => id))
    if (page.next === null) break
    marker = page.next
    await audit.add([record(100 + pages)])
  }
  expect(seen).toEqual(Array.from({ length: 25 }, (_none, n) => `req-${24 - n}`))
  const [first] = (await audit.page({ scope: p1, limit: 1 })).records
  expect(first).toEqual(record(100))
})

test('each filter leaves what it names, alone and together', async () => {
  await using opened = await openStore()
  const { audit } = opened.store
  const nobody = { ...record(9).initiator, id: 'unknown', name: null, project_id: null }
  await audit.add([
    ...Array.from({ length: 9 }, (_none, n) => record(n)),
    record(9, { outcome: 'failure', initiator: nobody }),
  ])
  const ids = async (query: Partial<AuditQuery>) =>
    (await audit.page({ scope: null, limit: 100, ...query })).records.map(({ id }) => Number(id.slice(4)))
  expect(await ids({ scope: p1 })).toEqual([8, 6, 4, 2, 0])
  expect(await ids({ user: 'bob' })).toEqual([7, 5, 3, 1])
  expect(await ids({ user: 'u0' })).toEqual([8, 6, 4, 2, 0])
  expect(await ids({ outcome: 'failure' })).toEqual([9])
  expect(await ids({ action: 'delete' })).toEqual([9, 6, 3, 0])
  expect(await ids({ action: 'update*' })).toEqual([8, 7, 5, 4, 2, 1])
  expect(await ids({ action: 'up_ate*' })).toEqual([])
  expect(await ids({ since: begin + 6000, until: begin + 8000 })).toEqual([8, 7, 6])
  expect(await ids({ scope: p1, user: 'ann', action: 'delete', until: begin + 5000 })).toEqual([0])
  await expect(ids({ marker: "1'; drop" as AuditMarker })).rejects.toMatchObject({ code: 'request.invalid' })
})

test('a page looks at so many rows and no more, and says where to go on', async () => {
  await using opened = await openStore()
  const { audit } = opened.store
  await audit.add([record(0, { action: 'create' })])
  for (let n = 1; n <= 25_000; n += 5000) {
    await audit.add(Array.from({ length: 5000 }, (_none, i) => record(n + i)))
  }
  const first = await audit.page({ scope: null, action: 'create', limit: 5 })
  expect(first.records).toEqual([])
  const second = await audit.page({ scope: null, action: 'create', limit: 5, marker: first.next as AuditMarker })
  expect(second.records.map(({ id }) => id)).toEqual(['req-0'])
  expect(second.next).toBeNull()
}, 60_000)

test('what is too old goes, and what is too much, the oldest first and in steps', async () => {
  await using opened = await openStore()
  const { audit } = opened.store
  await audit.add(Array.from({ length: 30 }, (_none, n) => record(n)))
  expect(await audit.prune({ before: begin + 5000, keep: 100, most: 4 })).toBe(4)
  expect(await audit.prune({ before: begin + 5000, keep: 100, most: 4 })).toBe(1)
  expect(await audit.prune({ before: begin + 5000, keep: 100, most: 4 })).toBe(0)
  expect(await audit.prune({ before: 0, keep: 10, most: 1000 })).toBe(15)
  const left = await audit.page({ scope: null, limit: 100 })
  expect(left.records).toHaveLength(10)
  expect(left.records.at(-1)?.id).toBe('req-20')
})

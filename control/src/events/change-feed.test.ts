import type { Caller, ContainerId, ProjectId } from '@gantry/model'
import { expect, test } from 'vitest'
import type { Cursor, RecordedChange } from '../ports/change-table.ts'
import type { Store } from '../ports/store.ts'
import { messageOf } from '../webhooks/message.ts'
import { changeFeed } from './change-feed.ts'

const change = (type: string, data: Record<string, unknown>) =>
  ({
    number: 1,
    cursor: '0.1',
    at: 0,
    type,
    projectId: 'p',
    userId: null,
    requestId: null,
    objectId: 'c' as ContainerId,
    data,
  }) as unknown as RecordedChange
const changes = [change('container.status', { name: 'web', host: 'rack-7' }), change('host.create', { name: 'rack-7' })]
const store = {
  changes: { after: async () => ({ changes, next: '0.1' as Cursor }), isGone: async () => false },
} as unknown as Pick<Store, 'changes'>

const noHosts = { reader: () => async () => [] }

async function toldTo(isAdmin: boolean): Promise<RecordedChange['data'][]> {
  const caller = { projectId: 'p' as ProjectId, isAdmin } as Caller
  const told: RecordedChange['data'][] = []
  const watch = { since: '0', types: [], follow: false }
  for await (const page of changeFeed(store, noHosts).read(caller, watch, new AbortController().signal))
    told.push(...page.changes.map(({ data }) => data))
  return told
}

test('which host a container is on is told to administrators only', async () => {
  expect(await toldTo(false)).toEqual([{ name: 'web', host: null }, { name: 'rack-7' }])
  expect(await toldTo(true)).toEqual([{ name: 'web', host: 'rack-7' }, { name: 'rack-7' }])
})

test('no webhook is told either', () => {
  const { body } = messageOf(changes[0] ?? change('', {}), { secret: 'whsec_AAAA', now: 0 })
  expect(JSON.parse(body)).toMatchObject({ type: 'container.status', data: { name: 'web', host: null } })
})

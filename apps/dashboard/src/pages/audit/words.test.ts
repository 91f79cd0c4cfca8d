import { expect, test } from 'vitest'
import { auditSearch, isoOfLocal, localTime } from './search.ts'
import { containerOf, objectText, reasonText, whoText } from './words.ts'

const record = (path: string, id: string, route: string) => ({
  requestPath: path,
  target: { typeURI: 'service/compute', id, name: route },
})
const uuid = '18748848-1111-4222-8333-444455556666'

test('what was called is told as what it was done to', () => {
  expect(objectText(record('/v1/containers/web/stop', 'web', '/v1/containers/:ref/stop'))).toBe('containers/web')
  expect(objectText(record('/v1/containers', 'unknown', '/v1/containers'))).toBe('/v1/containers')
  expect(containerOf(record(`/v1/containers/${uuid}/stop`, uuid, ''))).toBe(uuid)
  expect(containerOf(record('/v1/containers/web', 'web', ''))).toBeUndefined()
})

test('reasons and people have words, also where little is known of them', () => {
  const reason = (reasonCode: string) => reasonText({ reason: { reasonType: 'HTTP', reasonCode } })
  expect([reason('403'), reason('418')]).toEqual(['403: not allowed, or over quota', '418'])
  const host = { address: '', agent: '' }
  const who = (id: string, name: string | null) =>
    whoText({ initiator: { typeURI: '', id, name, project_id: null, host } })
  expect([who('unknown', null), who('0123456789', null), who('x', 'ann')]).toEqual(['nobody known', '01234567', 'ann'])
})

test('of the address only what can be asked for is taken', () => {
  const asked = { project: ' shop ', user: 7, action: '', outcome: 'odd', since: 'soon', until: '2026-11-29T13:00:00Z' }
  expect(auditSearch(asked)).toEqual({ project: 'shop', user: '7', until: '2026-11-29T13:00:00Z' })
  expect(isoOfLocal(localTime('2026-11-29T13:00:00.000Z'))).toBe('2026-11-29T13:00:00.000Z')
})

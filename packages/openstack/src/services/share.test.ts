import { describe, expect, test } from 'vitest'
import { allOf } from '../collection.ts'
import { context, json, type SmallCloud, smallCloud } from '../testing/small-cloud.ts'
import { bestLocation, grantAccess, revokeAccess, rulesOf } from './share-access.ts'
import { shareService } from './share.ts'

const versions = { versions: [{ id: 'v2.0', status: 'CURRENT', version: '2.73', min_version: '2.0' }] }
const share = (id: string) => ({ id, name: id, status: 'available', size: 1, share_proto: 'NFS', metadata: {} })
const rule = (id: string, state: string, more = {}) => ({
  id,
  access_type: 'ip',
  access_to: '10.0.0.1',
  access_level: 'rw',
  state,
  access_key: null,
  metadata: {},
  ...more,
})
const lines = ({ calls }: SmallCloud) =>
  calls()
    .filter(({ url }) => !url.endsWith('/v2/'))
    .map(({ method, url, text }) => `${method} ${url}${text && ` ${text}`}`)

/** Answers in turn, the last one for ever; the versions come by themselves. */
function answering(...answers: readonly [status: number, body: unknown][]) {
  let at = 0
  return smallCloud(({ url }, response) => {
    if (url.endsWith('/v2/')) return json(response, 200, versions)
    const [status, body] = answers[Math.min(at, answers.length - 1)] ?? [500, {}]
    at += 1
    json(response, status, body)
  })
}

describe('Manila', () => {
  test('is told the microversion in a header of its own', async () => {
    await using small = await answering([200, { share: share('a') }])
    await shareService(small.session()).shares.show('a', context())
    const { headers } = small.calls().at(-1) ?? {}
    expect(headers?.['x-openstack-manila-api-version']).toBe('2.65')
    expect(headers).not.toHaveProperty('openstack-api-version')
  })

  test('lists by offsets: the markers in its links mean nothing', async () => {
    const link = [{ rel: 'next', href: 'http://stranger/v2/shares?limit=2&marker=b' }]
    await using small = await answering(
      [200, { shares: [share('a'), share('b')], shares_links: link }],
      [200, { shares: [share('c')] }],
    )
    const shares = await allOf(shareService(small.session()).shares.list({ name: 'x' }, context()))
    expect(shares.map(({ id }) => id)).toEqual(['a', 'b', 'c'])
    expect(lines(small)).toEqual([
      'GET /share/v2/shares/detail?name=x&limit=500',
      'GET /share/v2/shares/detail?name=x&limit=500&offset=2',
    ])
  })

  test('is asked in its own words', async () => {
    await using small = await answering([202, { access: rule('r', 'queued_to_apply') }])
    const manila = shareService(small.session())
    await manila.extend('s', 3, context())
    await manila.access.allow('s', { access_type: 'ip', access_to: '10.0.0.1', access_level: 'ro' }, context())
    await manila.access.deny('s', 'r', context())
    await manila.setMetadata('s', { a: 'b' }, context())
    await manila.removeMetadata('s', 'a', context())
    expect(lines(small)).toEqual([
      'POST /share/v2/shares/s/action {"extend":{"new_size":3}}',
      'POST /share/v2/shares/s/action {"allow_access":{"access_type":"ip","access_to":"10.0.0.1","access_level":"ro"}}',
      'POST /share/v2/shares/s/action {"deny_access":{"access_id":"r"}}',
      'POST /share/v2/shares/s/metadata {"metadata":{"a":"b"}}',
      'DELETE /share/v2/shares/s/metadata/a',
    ])
  })

  test('says of a share that is gone that it was not found, as a mistake of the caller', async () => {
    await using small = await answering([400, { badRequest: { code: 400, message: 'Share s not found.' } }])
    expect(await rulesOf(shareService(small.session()), 's', context())).toBeNull()
  })
})

describe('access', () => {
  const wish = (isOurs: boolean) => ({
    shareId: 's',
    rule: { access_type: 'ip', access_to: '10.0.0.1', access_level: 'rw' as const },
    isOurs: () => isOurs,
  })

  test('is given once the storage has applied it', async () => {
    await using small = await answering(
      [200, { access_list: [] }],
      [200, { access: rule('r', 'queued_to_apply') }],
      [200, { access_list: [rule('r', 'applying')] }],
      [200, { access_list: [rule('r', 'active')] }],
    )
    expect((await grantAccess(shareService(small.session()), wish(true), context())).id).toBe('r')
  })

  test('that somebody else was quicker to give is good enough', async () => {
    await using small = await answering(
      [200, { access_list: [] }],
      [400, { badRequest: { code: 400, message: 'Share access ip:10.0.0.1 exists.' } }],
      [200, { access_list: [rule('theirs', 'active')] }],
    )
    expect((await grantAccess(shareService(small.session()), wish(false), context())).id).toBe('theirs')
  })

  test('that is ours and failed before is taken away and given anew', async () => {
    await using small = await answering(
      [200, { access_list: [rule('old', 'error')] }],
      [202, {}],
      [200, { access_list: [] }],
      [200, { access_list: [] }],
      [200, { access: rule('new', 'queued_to_apply') }],
      [200, { access_list: [rule('new', 'active')] }],
    )
    expect((await grantAccess(shareService(small.session()), wish(true), context())).id).toBe('new')
    expect(lines(small)[1]).toContain('"deny_access":{"access_id":"old"}')
  })

  test('that is somebody else’s and failed is not ours to mend', async () => {
    await using small = await answering([200, { access_list: [rule('theirs', 'error')] }])
    const asked = grantAccess(shareService(small.session()), wish(false), context())
    await expect(asked).rejects.toMatchObject({ status: 409, reason: 'its storage does not let 10.0.0.1 at the share' })
    expect(lines(small)).toHaveLength(1)
  })

  test('that the storage does not take away is told', async () => {
    await using small = await answering(
      [202, {}],
      [200, { access_list: [rule('r', 'denying')] }],
      [200, { access_list: [rule('r', 'error')] }],
    )
    const asked = revokeAccess(shareService(small.session()), 's', 'r', context())
    await expect(asked).rejects.toMatchObject({ status: 409, reason: expect.stringMatching(/did not take away/) })
  })

  test('is waited for no longer than the caller does', async () => {
    await using small = await answering([200, { access_list: [rule('r', 'applying')] }])
    const bounded = { signal: AbortSignal.timeout(700) }
    await expect(grantAccess(shareService(small.session()), wish(true), bounded)).rejects.toMatchObject({
      name: 'TimeoutError',
    })
  })
})

test('the best place to mount from is what Manila prefers', () => {
  expect(bestLocation([{ path: 'a' }, { path: 'b', preferred: true }])).toBe('b')
  expect(bestLocation([{ path: 'a', preferred: false }, { path: 'b' }])).toBe('a')
  expect(bestLocation([])).toBeNull()
})

import { describe, expect, test } from 'vitest'
import { path, queryText } from './call.ts'
import { endpointOf } from './catalog.ts'
import { identityUrl } from './log-in.ts'
import { usualPatience, waitBeforeRepeat } from './repeat-policy.ts'
import { commonMicroversion, rangeOf, segmentFor, splitVersion, versionsOf } from './versions.ts'

describe('addresses', () => {
  test.each([
    ['http://h:5000', 'http://h:5000/v3'],
    ['http://h:5000/', 'http://h:5000/v3'],
    ['http://h:5000/v3/', 'http://h:5000/v3'],
    ['http://h/identity', 'http://h/identity/v3'],
    ['http://h/identity/v2.0', 'http://h/identity/v3'],
  ])('of Keystone: %s', (authUrl, url) => expect(identityUrl(authUrl).href).toBe(url))

  test.each([
    ['http://h:9292', '', null, ''],
    ['http://h/image/', '/image', null, ''],
    ['http://h/volume/v3/abc', '/volume', 'v3', '/abc'],
    ['http://h/v2.1/', '', 'v2.1', ''],
    // A word that begins like one.
    ['http://h/v2cloud/image', '/v2cloud/image', null, ''],
  ])('apart: %s', (url, base, version, rest) => {
    expect(splitVersion(new URL(url))).toEqual({ base, version, rest })
  })

  test('take names as they are, and no name leads elsewhere', () => {
    expect(path`/images/${'a/b?c'}/file`).toBe('/images/a%2Fb%3Fc/file')
    for (const name of ['', '.', '..']) expect(() => path`/images/${name}`).toThrow(/neither an id nor a name/)
    expect(queryText({ a: 1, b: undefined, c: ['x', 'y z'], d: true })).toBe('?a=1&c=x&c=y+z&d=true')
    expect(queryText({})).toBe('')
  })
})

describe('the catalog', () => {
  const at = (url: string, kind: string, region: string) => ({ interface: kind, url, region, region_id: region })
  const catalog = [
    { type: 'volume', endpoints: [at('http://old', 'public', 'one')] },
    { type: 'volumev3', endpoints: [at('http://one', 'public', 'one'), at('http://two', 'public', 'two')] },
    { type: 'image', endpoints: [at('nonsense', 'public', 'one'), at('http://in', 'internalURL', 'one')] },
  ]
  test('is asked for the best type, the interface and the region', () => {
    const types = ['volumev3', 'volume'] as const
    expect(endpointOf(catalog, { types, interface: 'public' }).host).toBe('one')
    expect(endpointOf(catalog, { types, interface: 'public', region: 'two' }).host).toBe('two')
    expect(endpointOf(catalog, { types: ['image'], interface: 'internal' }).host).toBe('in')
  })

  test('says what it has instead', () => {
    const of = (type: string, kind: 'public' | 'admin', region?: string) => () =>
      endpointOf(catalog, { types: [type], interface: kind, region })
    expect(of('network', 'public')).toThrow('network: the catalog has no public endpoint of it, but no such service')
    expect(of('volumev3', 'admin', 'one')).toThrow(
      /no admin endpoint of it in region one, but public in one, public in two/,
    )
    expect(of('image', 'public')).toThrow(/not a URL: nonsense/)
  })
})

describe('versions', () => {
  const link = (href: string) => [{ rel: 'self', href }]
  test('are found under the segment that the service names, whatever host it names', () => {
    const glance = [
      { id: 'v2.15', status: 'CURRENT', links: link('http://inside:9292/v2/') },
      { id: 'v2.9', status: 'SUPPORTED', links: link('http://inside:9292/v2/') },
    ]
    expect(segmentFor(2, glance, 'v2')).toBe('v2')
    expect(segmentFor(2, [{ id: 'v2.0', status: 'CURRENT', links: link('http://x/networking/v2.0') }], 'v2')).toBe(
      'v2.0',
    )
    expect(segmentFor(3, [{ id: 'v2.0', status: 'DEPRECATED', links: link('/v2/') }], 'v3')).toBeNull()
    expect(segmentFor(3, versionsOf({ versions: { values: [{ id: 'v3.14', status: 'stable' }] } }), 'v3')).toBe('v3')
  })

  test('have ranges, of which the newest common one is taken', () => {
    const theirs = rangeOf(
      [
        { id: 'v2.0', version: '', min_version: '' },
        { id: 'v2.1', version: '2.93', min_version: '2.1' },
      ],
      2,
    )
    expect(theirs).toEqual({ least: '2.1', most: '2.93' })
    expect(commonMicroversion({ least: '2.53', most: '2.87' }, { least: '2.1', most: '2.93' })).toBe('2.87')
    expect(commonMicroversion({ least: '2.53', most: '2.87' }, { least: '2.1', most: '2.60' })).toBe('2.60')
    expect(commonMicroversion({ least: '3.44', most: '3.59' }, { least: '3.0', most: '3.27' })).toBeNull()
    expect(commonMicroversion({ least: '2.9', most: '2.9' }, { least: '2.1', most: '2.10' })).toBe('2.9')
  })
})

describe('patience', () => {
  const tools = { clock: { now: () => Date.parse('2026-01-01T00:00:00Z') }, random: () => 0.5 }
  const wait = (retryAfter: string, attempt = 0) =>
    waitBeforeRepeat({ attempt, mayRepeat: false, outcome: { status: 429, retryAfter } }, usualPatience, tools)

  test('is as long as asked for, in seconds or until a date, and a little more', () => {
    expect(wait('5')).toBeGreaterThan(5000)
    expect(wait('Thu, 01 Jan 2026 00:00:05 GMT')).toBe(wait('5'))
    expect(wait('nonsense')).toBe(wait(''))
    expect(wait('Wed, 31 Dec 2025 00:00:05 GMT')).toBe(wait(''))
  })

  test('has an end', () => {
    expect(wait('31')).toBeUndefined()
    expect(wait('', usualPatience.tries - 1)).toBeUndefined()
  })
})

import { faults, type FaultCode } from '@gantry/kernel'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { refusalOf } from './error-message.ts'
import { faultOf } from './fault-of.ts'
import { OpenStackError } from './openstack-error.ts'

const said = (status: number, body: unknown) =>
  refusalOf(status, Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)))

describe('the reason', () => {
  const shapes: [string, number, unknown, string, string | null][] = [
    [
      'Keystone',
      404,
      { error: { code: 404, message: 'Could not find project: x.', title: 'Not Found' } },
      'Could not find project: x.',
      null,
    ],
    [
      'Neutron',
      409,
      { NeutronError: { type: 'OverQuota', message: "Quota exceeded for resources: ['port'].", detail: '' } },
      "Quota exceeded for resources: ['port'].",
      'OverQuota',
    ],
    [
      'Nova',
      404,
      { itemNotFound: { code: 404, message: 'Instance x could not be found.' } },
      'Instance x could not be found.',
      'itemNotFound',
    ],
    [
      'Cinder',
      413,
      { overLimit: { code: 413, message: 'VolumeLimitExceeded', retryAfter: '0' } },
      'VolumeLimitExceeded',
      'overLimit',
    ],
    [
      'Glance',
      404,
      { message: 'No image found with ID x<br /><br />\n\n\n', code: '404 Not Found', title: 'Not Found' },
      'No image found with ID x',
      null,
    ],
    [
      'Glance, as a page',
      409,
      '<html>\n <head>\n  <title>409 Conflict</title>\n </head>\n <body>\n  <h1>409 Conflict</h1>\n  Image status transition from saving to saving is not allowed<br /><br />\n\n </body>\n</html>',
      'Image status transition from saving to saving is not allowed',
      null,
    ],
    [
      'Heat',
      404,
      {
        code: 404,
        title: 'Not Found',
        explanation: 'e',
        error: { message: 'The Stack (x) could not be found.', type: 'EntityNotFound', traceback: null },
      },
      'The Stack (x) could not be found.',
      'EntityNotFound',
    ],
    [
      'Placement',
      404,
      {
        errors: [
          {
            status: 404,
            request_id: 'r',
            detail: 'No resource provider x found',
            title: 'Not Found',
            code: 'placement.undefined_code',
          },
        ],
      },
      'No resource provider x found',
      'placement.undefined_code',
    ],
    [
      'Swift',
      404,
      '<html><h1>Not Found</h1><p>The resource could not be found.</p></html>',
      'The resource could not be found.',
      null,
    ],
    ['a proxy', 503, 'Service Unavailable\n', 'Service Unavailable', null],
    ['nobody', 500, '', 'no reason given (500)', null],
  ]
  test.each(shapes)('as %s says it', (_, status, body, reason, code) => {
    expect(said(status, body)).toEqual({ reason, code })
  })

  test('is one line of bounded length, whatever was answered', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (body) => {
        const { reason } = said(500, body)
        expect(reason).toMatch(/^[^\p{Cc}]{1,1000}$/u)
      }),
    )
  })
})

describe('the fault', () => {
  const of = (status: number, code: string | null = null, reason = 'x') =>
    faultOf(new OpenStackError({ failure: 'answer', service: 'network', status, code, reason })).code

  test.each<[number, FaultCode]>([
    [400, 'service.invalid'],
    [401, 'service.unauthenticated'],
    [403, 'service.forbidden'],
    [404, 'service.not-found'],
    [409, 'service.conflict'],
    [413, 'service.too-large'],
    [422, 'service.invalid'],
    [429, 'service.unavailable'],
    [500, 'service.failed'],
    [503, 'service.unavailable'],
  ])('of %i', (status, code) => expect(of(status)).toBe(code))

  test.each<[string, number, string | null, string]>([
    ['Neutron', 409, 'OverQuota', 'x'],
    ['Nova', 403, 'forbidden', 'Quota exceeded for cores'],
    [
      'Cinder',
      413,
      'overLimit',
      "VolumeLimitExceeded: Maximum number of volumes allowed (10) exceeded for quota 'volumes'.",
    ],
    ['Glance', 413, null, 'Denying attempt to upload image because it exceeds the quota'],
  ])('of a quota of %s', (_, status, code, reason) => expect(of(status, code, reason)).toBe('service.over-quota'))

  test('of what was not answered', () => {
    const parts = { service: 'image', reason: 'x' } as const
    expect(faultOf(new OpenStackError({ ...parts, failure: 'unreachable' })).retry).toBe(true)
    expect(faultOf(new OpenStackError({ ...parts, failure: 'unreadable' })).kind).toBe('internal')
    expect(faultOf(new OpenStackError({ ...parts, failure: 'unfit' })).kind).toBe('unsupported')
    expect(faults['service.unavailable'].kind).toBe('unavailable')
  })
})

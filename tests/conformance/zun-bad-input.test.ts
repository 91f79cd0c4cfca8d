import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { badFields, huge } from './bad-fields.ts'
import { zunRoutes } from './zun-routes.ts'
import { type Answer, type FakeCloud, fakeCloud } from '../../facades/zun/src/testing/fake-cloud.ts'

describe('bad input to create', () => {
  let cloud: FakeCloud
  beforeAll(async () => {
    cloud = await fakeCloud()
  })
  afterAll(() => cloud[Symbol.asyncDispose]())

  const create = (body: unknown, version = '1.40', token = 'admin') =>
    cloud.ask('POST', '/v1/containers?run=true', { body, version, token })
  const mustBeRefused = (answer: Answer, what: unknown) => {
    expect({ what, status: answer.status }).toEqual({ what, status: 400 })
    expect(answer.json).toEqual({
      errors: [
        {
          request_id: '',
          code: expect.stringMatching(/^container\.[a-z-]+$/),
          status: 400,
          title: expect.stringMatching(/\S/),
          detail: expect.stringMatching(/\S/),
          links: [],
        },
      ],
    })
    expect(answer.text.length).toBeLessThan(2000)
    expect(cloud.control.calls.map(({ name }) => name)).not.toContain('containers.create')
  }

  test.each(Object.entries(badFields))('%s', async (field, values) => {
    await fc.assert(
      fc.asyncProperty(values, async (value) => {
        const body = { image: 'busybox', [field]: value }
        mustBeRefused(await create(body), value)
      }),
      { numRuns: 60 },
    )
  })

  test('unknown fields', async () => {
    const known = new Set(Object.keys(badFields))
    const unknown = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString', 'volumes', huge))
    await fc.assert(
      fc.asyncProperty(unknown, fc.jsonValue(), async (field, value) => {
        fc.pre(!known.has(field))
        const body = `{"image":"busybox",${JSON.stringify(field)}:${JSON.stringify(value)}}`
        mustBeRefused(await create(body), field.slice(0, 50))
      }),
      { numRuns: 60 },
    )
  })

  test('bodies that are no object, or no JSON', async () => {
    for (const body of ['', 'null', '[]', '1', '"x"', '{', '{"image"', '['.repeat(5000), '\0']) {
      mustBeRefused(await create(body), body.slice(0, 50))
    }
  })

  test('no value of any kind makes a 500, in any version', async () => {
    const field = fc.constantFrom(...Object.keys(badFields))
    const minor = fc.integer({ min: 1, max: 40 })
    await fc.assert(
      fc.asyncProperty(field, fc.jsonValue(), minor, async (name, value, minor) => {
        const { status } = await create({ image: 'busybox', [name]: value }, `1.${minor}`)
        expect([202, 400, 403, 404, 409]).toContain(status)
      }),
      { numRuns: 400 },
    )
  })

  test('a body over 1 MiB is 413', async () => {
    const { status } = await create({ image: 'busybox', labels: { a: 'x'.repeat(1024 * 1024) } })
    expect(status).toBe(413)
  })

  test('no argument of any action makes a 500', async () => {
    await create({ image: 'busybox', name: 'victim', interactive: true }, '1.40', 'demo')
    const [id] = cloud.control.rows.keys()
    const actions = zunRoutes.filter(({ method }) => method !== 'DELETE')
    const words =
      'timeout signal image image_driver name h w command run interactive exec_id repository tag stdout stderr'
    const names = fc.constantFrom(
      ...words.split(' '),
      'timestamps',
      'tail',
      'since',
      'ps_args',
      'path',
      'data',
      'network',
      'port',
      'fixed_ip',
    )
    const args = fc.dictionary(
      names,
      fc.oneof(fc.string({ unit: 'binary' }), fc.integer().map(String), fc.constant('None')),
    )
    const body = fc.oneof(fc.jsonValue(), fc.dictionary(names, fc.jsonValue()))
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...actions), args, body, async ({ method, path, version }, query, body) => {
        const url = `/v1${path.replace('{ref}', String(id))}?${new URLSearchParams(query).toString()}`
        const answer = await cloud.ask(method, url, {
          version: version ?? '1.40',
          ...(method === 'GET' ? {} : { body }),
        })
        expect({ url, body, ok: answer.status < 500 }).toEqual({ url, body, ok: true })
      }),
      { numRuns: 500 },
    )
  })
})

import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseOpenrc } from '../openrc.ts'
import { authUrlOf, findCredentials, originOf } from './credentials.ts'
import { authBody } from './keystone.ts'

test('an openrc is read as the shell reads it', () => {
  const quoted = (value: string): string => `'${value.replaceAll("'", String.raw`'\''`)}'`
  const word = fc.string({ unit: fc.constantFrom('a', ' ', "'", '"', '\\', '$', '`', '=', '#') })
  const property = fc.property(word, (value) => {
    const line = `export OS_PASSWORD=${quoted(value)}`
    const shell = execFileSync('sh', ['-c', `${line}\nprintf %s "$OS_PASSWORD"`], { encoding: 'utf8' })
    expect(parseOpenrc(`# OS_USERNAME=x\nunset OS_TOKEN OS_CLOUD\n${line}\n`)).toEqual({ OS_PASSWORD: shell })
  })
  fc.assert(property, { numRuns: 40 })
  expect(parseOpenrc('OS_USERNAME=demo\nexport OS_PASSWORD="a \\"b\\" \\$c"\n')).toEqual({
    OS_USERNAME: 'demo',
    OS_PASSWORD: 'a "b" $c',
  })
})

test('addresses', () => {
  expect(authUrlOf('http://cloud/identity/')).toBe('http://cloud/identity/v3')
  expect(authUrlOf('http://cloud/identity/v3')).toBe('http://cloud/identity/v3')
  expect(originOf('https://cloud:9700/identity/v3')).toBe('https://cloud:9700')
  expect(() => originOf('cloud:9700')).toThrow('is not an http')
})

test('the environment stands above files, and what is missing is named', async () => {
  const env = { OS_AUTH_URL: 'http://cloud/identity', OS_TOKEN: 't', HOME: '/nonexistent' }
  const proof = { kind: 'token', token: 't' }
  expect(await findCredentials(env, undefined)).toMatchObject({ endpoint: 'http://cloud', proof })
  expect(await findCredentials(env, 'http://other:1/x')).toMatchObject({ endpoint: 'http://other:1' })
  const half = { OS_AUTH_URL: 'http://cloud/identity', OS_USERNAME: 'demo', HOME: '/nonexistent' }
  await expect(findCredentials(half, undefined)).rejects.toMatchObject({
    exitCode: 3,
    message: 'The OS_* environment lacks OS_PASSWORD.',
  })
})

test('requests for a token follow the Identity API', () => {
  const nobody = { id: undefined, name: undefined, domainId: undefined, domainName: undefined }
  const user = { ...nobody, name: 'ada' }
  expect(authBody({ kind: 'password', user, password: 'p', project: { ...nobody, id: 'p1' } })).toEqual({
    auth: {
      identity: {
        methods: ['password'],
        password: { user: { name: 'ada', domain: { name: 'Default' }, password: 'p' } },
      },
      scope: { project: { id: 'p1' } },
    },
  })
  expect(authBody({ kind: 'application-credential', id: undefined, name: 'ci', secret: 's', user })).toEqual({
    auth: {
      identity: {
        methods: ['application_credential'],
        application_credential: { name: 'ci', user: { name: 'ada', domain: { name: 'Default' } }, secret: 's' },
      },
    },
  })
})

import { expect, test } from 'vitest'
import { loginOf, loginsOf, registryAt } from './registry-logins.ts'

const header = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

test('a login is read from its header, and none from an empty one', () => {
  const login = { username: 'ada', password: 'pass/+word', serveraddress: 'reg.example' }
  expect(loginOf(header(login), 'reg.example')).toEqual({
    domain: 'reg.example',
    username: 'ada',
    password: 'pass/+word',
  })
  expect(loginOf(Buffer.from(JSON.stringify(login)).toString('base64'), 'x')).toMatchObject({ username: 'ada' })
  for (const none of [undefined, '', header({}), header({ username: '' })]) expect(loginOf(none, 'x')).toBeNull()
})

test('what cannot be read is refused without repeating it', () => {
  const secret = Buffer.from('{"password":"hush').toString('base64url')
  expect(() => loginOf(secret, 'x')).toThrow(/^invalid X-Registry-Auth or X-Registry-Config header$/)
  expect(() => loginOf(header({ identitytoken: 'hush' }), 'x')).toThrow(
    /^A login by an identity token is not available/,
  )
})

test('logins of a build go by registry', () => {
  const logins = {
    'https://index.docker.io/v1/': { username: 'hub', password: 'a' },
    'reg.example:5000': { username: 'own', password: 'b' },
    'none.example': {},
  }
  expect(loginsOf(header(logins))).toEqual([
    { domain: '', username: 'hub', password: 'a' },
    { domain: 'reg.example:5000', username: 'own', password: 'b' },
  ])
})

test.each([
  ['https://index.docker.io/v1/', ''],
  ['registry-1.docker.io', ''],
  ['', ''],
  ['http://127.0.0.1:5000/v2/', '127.0.0.1:5000'],
])('%s is the registry "%s"', (address, domain) => {
  expect(registryAt(address)).toBe(domain)
})

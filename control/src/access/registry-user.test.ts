import { expect, test } from 'vitest'
import { loginsFor } from './registry-user.ts'

const id = 'a'.repeat(32)
const usual = { id: 'default' }

/** What is tried for a user name, in short. */
function tried(username: string): unknown[] {
  return loginsFor({ username, password: 'p' }).map(({ logIn, scope }) => {
    const who = logIn.method === 'password' ? logIn.user : logIn.method === 'token' ? 'token' : logIn.credential
    return [who, scope.kind === 'project' ? scope.project : scope.kind]
  })
}

test('a user name says who, and perhaps where', () => {
  expect(tried('eva')).toEqual([[{ name: 'eva', domain: usual }, 'default']])
  expect(tried('demo/eva')).toEqual([
    [
      { name: 'eva', domain: usual },
      { name: 'demo', domain: usual },
    ],
  ])
  expect(tried(`${id}/eva`)).toEqual([[{ name: 'eva', domain: usual }, { id }]])
  expect(tried('token')).toEqual([['token', 'default']])
})

test('a domain may follow, or be a part of the name', () => {
  const home = { name: 'home' }
  expect(tried('demo/eva@home')).toEqual([
    [
      { name: 'eva', domain: home },
      { name: 'demo', domain: home },
    ],
    [
      { name: 'eva@home', domain: usual },
      { name: 'demo', domain: usual },
    ],
  ])
  expect(tried('eva@')).toEqual([[{ name: 'eva@', domain: usual }, 'default']])
})

test('an id is of an application credential, or of a user', () => {
  expect(tried(id)).toEqual([
    [{ id }, 'default'],
    [{ id }, 'default'],
  ])
  expect(tried(`demo/${id}`)).toEqual([[{ id }, { name: 'demo', domain: usual }]])
})

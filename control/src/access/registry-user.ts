import type { LogIn, Ref, WantedScope } from '../ports/identity.ts'
import type { BasicLogin } from './registry-logins.ts'

export interface Attempt {
  readonly logIn: LogIn
  readonly scope: WantedScope
}

/** With this user name the password is a token of Keystone's. */
export const tokenUser = 'token'
const usualDomain = { id: 'default' }
const id = /^([0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

/**
 * What a user name and a password may mean, the likeliest first: `token`; the id of an application credential; `user`,
 * `user@domain`, and either of them in a project, `project/user`. Names of users may hold an @.
 */
export function loginsFor({ username, password }: BasicLogin): Attempt[] {
  if (username === tokenUser) return [{ logIn: { method: 'token', token: password }, scope: { kind: 'default' } }]
  const slash = username.indexOf('/')
  const project = slash > 0 ? username.slice(0, slash) : null
  const name = slash > 0 ? username.slice(slash + 1) : username
  const credential: Attempt = {
    logIn: { method: 'application_credential', credential: { id: name }, secret: password },
    scope: { kind: 'default' },
  }
  const users = usersCalled(name).map(({ user, domain }): Attempt => {
    const scope: WantedScope =
      project === null ? { kind: 'default' } : { kind: 'project', project: projectCalled(project, domain) }
    return { logIn: { method: 'password', user, password }, scope }
  })
  return project === null && id.test(name) ? [credential, ...users] : users
}

type Domain = { readonly id: string } | { readonly name: string }

function usersCalled(name: string): { readonly user: Ref; readonly domain: Domain }[] {
  if (id.test(name)) return [{ user: { id: name }, domain: usualDomain }]
  const plain = { user: { name, domain: usualDomain }, domain: usualDomain }
  const at = name.lastIndexOf('@')
  if (at < 1 || at === name.length - 1) return [plain]
  const domain = { name: name.slice(at + 1) }
  return [{ user: { name: name.slice(0, at), domain }, domain }, plain]
}

function projectCalled(text: string, domain: Domain): Ref {
  return id.test(text) ? { id: text.replaceAll('-', '') } : { name: text, domain }
}

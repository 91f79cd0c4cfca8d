import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { cloudSettings, readCloudSettings } from './settings.ts'

const file = '/etc/gantry/openstack.yaml'
const auth = { auth_url: 'http://k:5000/v3', username: 'gantry', password: 'pw', project_name: 'service' }

test('a service user by name', () => {
  const said = cloudSettings(
    { auth: { ...auth, user_domain_name: 'Default', project_domain_id: 'd' }, region_name: 'RegionOne' },
    file,
  )
  expect(said).toEqual({
    authUrl: 'http://k:5000/v3',
    credential: {
      kind: 'password',
      user: { name: 'gantry', domain: { name: 'Default' } },
      password: 'pw',
      scope: { kind: 'project', project: { name: 'service', domain: { id: 'd' } } },
    },
    region: 'RegionOne',
    interface: 'public',
    insecure: false,
    endpoints: {},
  })
})

test('a trust, which has its own project', () => {
  const trusted = { auth_url: 'https://k', user_id: 'u', password: 'p', trust_id: 't' }
  expect(cloudSettings({ auth: trusted }, file).credential).toEqual({
    kind: 'password',
    user: { id: 'u' },
    password: 'p',
    scope: { kind: 'trust', trustId: 't' },
  })
  expect(() => cloudSettings({ auth: { ...trusted, project_id: 'x' } }, file)).toThrow(/both a project and "trust_id"/)
})

test('an application credential, and where things are', () => {
  const said = cloudSettings(
    {
      auth: { auth_url: 'https://k', application_credential_id: 'id', application_credential_secret: 's' },
      interface: 'internalURL',
      cacert: 'ca.pem',
      verify: false,
      image_endpoint_override: 'http://g:9292',
      block_storage_endpoint_override: 'http://c:8776/v3',
      identity_api_version: 3,
    },
    file,
    (sentence) => expect(sentence).toBeUndefined(),
  )
  expect(said).toMatchObject({
    credential: { kind: 'application-credential', id: 'id', secret: 's' },
    interface: 'internal',
    caFile: '/etc/gantry/ca.pem',
    insecure: true,
    endpoints: { image: 'http://g:9292', 'block-storage': 'http://c:8776/v3' },
  })
})

test.each([
  ['nothing', null, /must have the key "auth"/],
  ['a list', [], /must have the key "auth"/],
  ['no auth', { region_name: 'x' }, /lacks "auth"/],
  ['a whole clouds.yaml', { clouds: { one: { auth } } }, /whole clouds\.yaml/],
  ['no address', { auth: { ...auth, auth_url: undefined } }, /lacks "auth_url"/],
  ['a bad address', { auth: { ...auth, auth_url: 'keystone:5000' } }, /no http or https URL/],
  ['no password', { auth: { ...auth, password: null } }, /"username" and "password"/],
  [
    'a number as password',
    { auth: { ...auth, password: 12345 } },
    /"password", which is no text; a number needs quotes/,
  ],
  ['no project', { auth: { ...auth, project_name: undefined } }, /lacks "project_name"/],
  ['a word of no meaning', { auth: { ...auth, pasword: 'x' } }, /the key "pasword" in "auth"/],
  ['half a credential', { auth: { auth_url: 'http://k', application_credential_id: 'x' } }, /_secret/],
  ['a strange interface', { auth, interface: 'private' }, /public, internal, admin/],
  ['a strange endpoint', { auth, image_endpoint_override: 'glance' }, /image_endpoint_override/],
])('%s is a mistake that is told', (_what, document, problem) => {
  expect(() => cloudSettings(document, file)).toThrow(problem)
})

test('a file: none, one that others may read, one that is not YAML; its secrets are told to nobody', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'settings-'))
  try {
    const path = join(folder, 'openstack.yaml')
    const warnings: string[] = []
    const read = () => readCloudSettings(path, (sentence) => warnings.push(sentence))
    await expect(read()).rejects.toThrow(/cannot be read: ENOENT/)

    await writeFile(path, JSON.stringify({ auth, colour: 'red' }), { mode: 0o600 })
    await expect(read()).resolves.toMatchObject({ authUrl: auth.auth_url })
    expect(warnings.splice(0)).toEqual([`The key "colour" in ${path} means nothing here.`])

    await chmod(path, 0o640)
    await read()
    expect(warnings[0]).toContain(`chmod 600 ${path}`)

    await writeFile(path, 'auth: {password: very-secret\n  x: [')
    const problem = await read().catch((error: unknown) => String(error))
    expect(problem).toContain('is not YAML')
    expect(problem).not.toContain('very-secret')
  } finally {
    await rm(folder, { recursive: true })
  }
})

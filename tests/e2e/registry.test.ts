import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Gantry, startGantry } from '../fixtures/gantry.ts'
import { startRegistry, type TestRegistry } from '../fixtures/registry.ts'

/** Private images: from a registry that asks who is there, to the container, without the password turning up anywhere. */
const password = 'kept-between-us-4711'
const wrong = 'not-the-password-0815'

let gantry: Gantry
let registry: TestRegistry
beforeAll(async () => {
  registry = await startRegistry({ username: 'puller', password })
  gantry = await startGantry({ serverArgs: ['--registry-allow', registry.domain] })
})
afterAll(async () => {
  await registry?.[Symbol.asyncDispose]()
  await gantry?.[Symbol.asyncDispose]()
})

/** Everything that came out of the cloud. */
const said: string[] = []

async function keep(name: string, secret: string): Promise<void> {
  const words = ['registry', 'create', registry.domain, '-n', name, '-u', 'puller', '--password-stdin']
  const made = await gantry.cli(words, { input: secret })
  expect(made, made.stderr).toMatchObject({ code: 0 })
  said.push(made.stdout)
}

async function run(image: string, from: string | undefined, command: string[]) {
  const demo = await gantry.logIn('demo')
  const body = { image, command, ...(from === undefined ? {} : { registry: from }) }
  const made = await demo.zun('POST', '/containers?run=true', body)
  expect(made.status, made.text).toBe(202)
  const ended = await demo.waitFor(made.json.uuid, ({ status }) => status === 'Stopped' || status === 'Error')
  const shown = [made, await demo.zun('GET', `/containers/${ended.uuid}`)]
  shown.push(await demo.native('GET', `/containers/${ended.uuid}`))
  shown.push(await demo.zun('GET', `/containers/${ended.uuid}/container_actions`))
  said.push(...shown.map(({ text }) => text))
  return { ended, demo, shown: shown[1]?.json as unknown as Record<string, unknown> }
}

test('a container pulls its image from the project’s registry, logged in', async () => {
  await keep('hub', password)
  const { ended, demo, shown } = await run('private/app', 'hub', ['echo', 'pulled'])
  expect(ended.status, ended.status_reason ?? '').toBe('Stopped')
  expect((await demo.zun('GET', `/containers/${ended.uuid}/logs`)).text).toContain('pulled')
  expect(registry.served).toContain('GET /v2/private/app/manifests/latest')
  const { registries } = (await demo.zun('GET', '/registries')).json as unknown as { registries: { uuid: string }[] }
  expect(shown).toMatchObject({ registry_id: registries[0]?.uuid })
})

test('with a wrong password, and with none, it ends in Error and says why', async () => {
  await keep('wrong', wrong)
  for (const [image, from] of [
    ['private/other', 'wrong'],
    [`${registry.domain}/private/third`, undefined],
  ] as const) {
    const { ended } = await run(image, from, ['true'])
    expect(ended.status).toBe('Error')
    expect(ended.status_reason).toMatch(/unauthorized|authenti|credentials/i)
    expect(ended.status_reason).toContain(image)
  }
})

test('another project can neither pull with it nor run what was pulled', async () => {
  const other = await gantry.newTenant('neighbour')
  const answer = await other.zun('POST', '/containers?run=true', { image: 'private/app', registry: 'hub' })
  expect(answer.status).toBe(404)
  expect((await other.zun('GET', '/registries/hub')).status).toBe(404)
  const image = `${registry.domain}/private/app`
  const taken = await other.zun('POST', '/containers?run=true', { image, command: ['true'] })
  const ended = await other.waitFor(taken.json.uuid, ({ status }) => status === 'Stopped' || status === 'Error')
  expect(ended.status_reason).toMatch(/unauthorized|authenti|credentials/i)
  const held = (await gantry.engine.docker('images', '--format', '{{.Repository}}:{{.Tag}}')).split('\n')
  expect(held.filter((name) => name.startsWith(registry.domain))).toEqual([])
  // Names of the host's own, behind which it keeps what it fetched, are nobody's either.
  const copies = held.filter((name) => name.startsWith('127.0.0.1:'))
  expect(copies).not.toEqual([])
  for (const copy of copies) {
    const asked = await other.zun('POST', '/containers?run=true', { image: copy, command: ['true'] })
    const end = await other.waitFor(asked.json.uuid, ({ status }) => status === 'Stopped' || status === 'Error')
    expect(end.status, `${copy}: ${end.status_reason}`).toBe('Error')
  }
})

test('containers of one project that start together share one private image', async () => {
  const ends = await Promise.all([1, 2, 3].map(() => run('private/shared', 'hub', ['true'])))
  expect(ends.map(({ ended }) => ended.status)).toEqual(['Stopped', 'Stopped', 'Stopped'])
})

test('no password is in an answer, a log or the database', async () => {
  const demo = await gantry.logIn('demo')
  for (const path of ['/registries', '/registries/hub']) {
    said.push((await demo.zun('GET', path)).text, (await demo.native('GET', path)).text)
  }
  said.push((await gantry.cli(['registry', 'list', '--json'])).stdout)
  said.push(await gantry.openstack('appcontainer', 'registry', 'show', 'hub'))
  const files = (await readdir(gantry.home)).filter((name) => /\.log$|^gantry\.db/.test(name))
  expect(files).toEqual(expect.arrayContaining(['server.log', 'agent.log', 'gantry.db']))
  for (const name of files) said.push((await readFile(join(gantry.home, name))).toString('latin1'))
  const everything = said.join('\n')
  for (const spelling of [password, wrong].flatMap(spellings)) {
    expect(everything.includes(spelling), spelling).toBe(false)
  }
  expect(everything).toContain('puller')
})

/** As it is, in hex, and as base64 wherever in the encoded text it may begin. */
function spellings(secret: string): string[] {
  const shifted = [0, 1, 2].map((before) => {
    const encoded = Buffer.from(`${' '.repeat(before)}${secret}`).toString('base64')
    return encoded.slice(before === 0 ? 0 : 4, -4)
  })
  return [secret, Buffer.from(secret).toString('hex'), ...shifted]
}

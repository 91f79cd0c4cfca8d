import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { configDirFor, ownConfigDir, readConfig, writeDockerConfig } from './docker-config.ts'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'gantry-docker-'))
})
afterEach(() => rm(home, { recursive: true }))

const put = async (dir: string, config: object) => {
  await mkdir(dir, { recursive: true })
  await writeFile(join(dir, 'config.json'), JSON.stringify(config))
}

test('log-ins and plugins of the user’s own folder stay, its headers and context do not', async () => {
  const own = join(home, '.docker')
  const dir = join(home, 'ours')
  await put(own, {
    auths: { 'a.example': { auth: 'YQ==' } },
    HttpHeaders: { 'X-Auth-Token': 'of another cloud' },
    currentContext: 'elsewhere',
    credsStore: 'pass',
    cliPluginsExtraDirs: ['/opt/plugins'],
  })
  await writeDockerConfig(dir, own, { 'X-Auth-Token': 't1' })
  const first = {
    auths: { 'a.example': { auth: 'YQ==' } },
    credsStore: 'pass',
    HttpHeaders: { 'X-Auth-Token': 't1' },
    cliPluginsExtraDirs: ['/opt/plugins', join(own, 'cli-plugins')],
  }
  expect(await readConfig(dir)).toEqual(first)
  // `docker login` with this folder, then a new token.
  await put(dir, { ...first, auths: { 'b.example': { auth: 'Yg==' } } })
  await writeDockerConfig(dir, own, { 'X-Auth-Token': 't2' })
  expect(await readConfig(dir)).toEqual({
    ...first,
    auths: { 'a.example': { auth: 'YQ==' }, 'b.example': { auth: 'Yg==' } },
    HttpHeaders: { 'X-Auth-Token': 't2' },
  })
})

test('nobody else can read it, and no half-written file is left', async () => {
  const dir = join(home, 'new', 'ours')
  await writeDockerConfig(dir, join(home, 'absent'), { 'X-Auth-Token': 'secret' })
  expect((await stat(dir)).mode & 0o777).toBe(0o700)
  expect((await stat(join(dir, 'config.json'))).mode & 0o777).toBe(0o600)
  expect(await readdir(dir)).toEqual(['config.json'])
})

test('a broken file counts as none', async () => {
  await mkdir(join(home, 'own'))
  await writeFile(join(home, 'own', 'config.json'), '{')
  await writeDockerConfig(join(home, 'ours'), join(home, 'own'), { a: 'b' })
  expect((await readConfig(join(home, 'ours')))['HttpHeaders']).toEqual({ a: 'b' })
})

test('users, projects and clouds have folders of their own', () => {
  const env = { HOME: '/home/ann' }
  const at = (who: Partial<{ url: string; user: string; projectId: string }>) =>
    configDirFor(env, { url: 'http://127.0.0.1:9703', user: 'ann', projectId: '0123456789abcdef', ...who })
  expect(at({})).toBe('/home/ann/.config/gantry/docker/ann-01234567-127.0.0.1_9703')
  expect(at({ user: '../x/y' })).toBe('/home/ann/.config/gantry/docker/.._x_y-01234567-127.0.0.1_9703')
  const dirs = [at({}), at({ user: 'bob' }), at({ projectId: 'f' }), at({ url: 'https://cloud.example:9703' })]
  expect(new Set(dirs).size).toBe(4)
  expect(ownConfigDir(env)).toBe('/home/ann/.docker')
  expect(ownConfigDir({ ...env, DOCKER_CONFIG: '/x' })).toBe('/x')
})

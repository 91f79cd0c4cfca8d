import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { type ServedCloud, serveFakeCloud } from '@gantry/facade-native/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'

const main = fileURLToPath(new URL('../main.ts', import.meta.url))

let home = ''
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'gantry-cli-registry-'))
})
afterAll(() => rm(home, { recursive: true, force: true }))

async function registry(cloud: ServedCloud, line: string, stdin = '') {
  const child = spawn(process.execPath, [main, 'registry', ...line.split(' ')], {
    env: {
      PATH: '/usr/bin:/bin',
      HOME: home,
      OS_AUTH_URL: `http://127.0.0.1:${cloud.port}/identity/v3`,
      OS_TOKEN: 'demo-token',
    },
  })
  child.stdin.end(stdin)
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code: code as number | null, stdout, stderr }
}

test('a registry is created with a password from stdin, listed, changed and deleted', async () => {
  await using cloud = await serveFakeCloud()
  const { passwords } = cloud.registries
  const made = await registry(cloud, 'create registry.example.com -n hub -u ada --password-stdin --json', 'one two \n')
  expect(made).toMatchObject({ code: 0, stderr: '' })
  const { id } = JSON.parse(made.stdout)
  expect(passwords.get(id)).toBe('one two ')
  expect((await registry(cloud, 'list')).stdout).toMatch(/hub +registry\.example\.com +ada/)
  expect((await registry(cloud, 'show hub')).stdout).toMatch(/password +kept, never shown/)
  await registry(cloud, 'update hub --name mine --password-stdin', 'three')
  expect(passwords.get(id)).toBe('three')
  const open = await registry(cloud, 'update mine --anonymous')
  expect(open.stdout).toMatch(/username +-\npassword +-/)
  expect(await registry(cloud, 'delete mine')).toEqual({ code: 0, stdout: 'mine\n', stderr: '' })
  const gone = await registry(cloud, 'show mine')
  expect(gone).toMatchObject({ code: 1, stdout: '' })
  expect(gone.stderr).toContain('Registry mine could not be found.')
})

test.each([
  ['create registry.example.com -u ada', '--password-stdin'],
  ['create registry.example.com --password-stdin', '--username'],
  ['create registry.example.com -u ada --password x', 'unknown option'],
  ['update hub', 'at least one change'],
  ['update hub --anonymous -u ada', '--anonymous'],
  ['update hub --ask-password', '--password-stdin'],
])('"%s" is a mistake on the command line', async (line, said) => {
  await using cloud = await serveFakeCloud()
  const { code, stderr } = await registry(cloud, line)
  expect(code).toBe(2)
  expect(stderr).toContain(said)
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { startPostgres, type TestPostgres } from '@gantry/store/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dockerConfig, type Gantry, type Session, startGantry } from '../fixtures/gantry.ts'
import { type SecondServer, secondServer } from '../fixtures/second-server.ts'

// Two server processes on one PostgreSQL, one real host. The first is the one that its agent was told to join.
let postgres: TestPostgres
let gantry: Gantry
let second: SecondServer
let first: Session
let other: Session
let admin: Session

beforeAll(async () => {
  postgres = await startPostgres()
  const database = ['--database', await postgres.database()]
  gantry = await startGantry({ serverArgs: database })
  second = secondServer(gantry, database)
  await second.start()
  first = await gantry.logIn('demo')
  const there = { OS_AUTH_URL: `${second.api()}/identity/v3` }
  other = await second.as({ ...(await gantry.env()), ...there })
  admin = await second.as({ ...(await gantry.env('admin')), ...there })
}, 180_000)
afterAll(async () => {
  await second.kill9()
  await gantry[Symbol.asyncDispose]()
  await postgres[Symbol.asyncDispose]()
})

const docker = (args: readonly string[], input?: string) =>
  gantry.docker(args, {
    session: other,
    env: { DOCKER_HOST: second.docker().replace('http', 'tcp') },
    ...(input !== undefined && { input }),
  })
const ok = ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => {
  if (code !== 0) throw new Error(stderr)
  return stdout
}
const hostsOf = async () => {
  const { text } = await admin.native('GET', '/servers')
  return (JSON.parse(text) as { servers: { hosts: number }[] }).servers.map(({ hosts }) => hosts)
}

test('a docker client of one server uses the host of another: run, exec, logs, attach, wait, build, events', async () => {
  expect(await hostsOf()).toEqual([1, 0])
  const config = await dockerConfig(gantry.home, {
    'X-Auth-Token': first.token,
    'X-Auth-Project-Id': first.projectId,
  })
  const events = spawn('docker', ['events', '--format', '{{.Action}} {{.Actor.Attributes.name}}'], {
    env: { ...process.env, DOCKER_HOST: gantry.dockerUrl.replace('http', 'tcp'), DOCKER_CONFIG: config },
  })
  let heard = ''
  events.stdout.on('data', (part: Buffer) => (heard += part.toString()))
  await new Promise((resolve) => setTimeout(resolve, 1000))
  ok(await docker(['run', '-d', '--name', 'far', 'busybox', 'sh', '-c', 'echo said; sleep 1000']))
  expect(ok(await docker(['exec', '-i', 'far', 'cat'], 'through two servers'))).toBe('through two servers')
  expect(ok(await docker(['logs', 'far']))).toContain('said')
  expect(ok(await docker(['run', '--rm', '-i', 'busybox', 'sh', '-c', 'read x; echo "got $x"'], 'line\n'))).toBe(
    'got line\n',
  )
  const waiting = docker(['wait', 'far'])
  ok(await docker(['stop', '-t', '0', 'far']))
  expect(ok(await waiting).trim()).toBe('137')
  const dockerfile = 'FROM busybox\nRUN echo built > /made\nCMD ["cat","/made"]\n'
  ok(await docker(['build', '-t', 'made:1', '-'], dockerfile))
  expect(ok(await docker(['run', '--rm', 'made:1']))).toBe('built\n')
  ok(await docker(['rm', 'far']))
  for (const told of ['create far', 'start far', 'die far', 'destroy far']) {
    await expect.poll(() => heard, { timeout: 5000 }).toContain(told)
  }
  events.kill()
  await once(events, 'exit')
})

test('when the server that a host hangs on is killed, the other goes on with all of it', async () => {
  const made = await first.zun('POST', '/containers', { image: 'busybox', name: 'stays', command: ['sleep', '1000'] })
  await first.waitFor(made.json.uuid, ({ status }) => status === 'Created')
  await first.zun('POST', '/containers/stays/start')
  await first.waitFor('stays', ({ status }) => status === 'Running')
  await gantry.server.kill9()
  const killed = Date.now()
  await expect.poll(hostsOf, { timeout: 20_000 }).toContain(1)
  await expect.poll(async () => (await hostsOf()).at(-1), { timeout: 20_000 }).toBe(1)
  const back = Date.now() - killed
  expect(ok(await docker(['exec', 'stays', 'echo', 'here']))).toBe('here\n')
  const stopped = await other.zun('POST', '/containers/stays/stop?timeout=0')
  expect(stopped.status).toBe(202)
  await other.waitFor('stays', ({ status }) => status === 'Stopped')
  console.log(`the host hung on the other server after ${back} ms`)
  // The first comes back, and reaches the host where it is now.
  await gantry.server.start()
  await other.zun('POST', '/containers/stays/start')
  await first.waitFor('stays', ({ status }) => status === 'Running')
  const answer = await first.zun('POST', '/containers/stays/execute?command=echo%20again')
  expect(answer.text).toContain('again')
  await expect.poll(async () => (await hostsOf()).length, { timeout: 30_000 }).toBe(2)
})

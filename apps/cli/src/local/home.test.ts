import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { homeAt, prepareHome } from './home.ts'
import { holderOf, HomeLock } from './lock.ts'
import { boundLog, openLog, tailOf } from './log-file.ts'
import { checkPlatform } from './platform.ts'
import { isAlive, processId } from './process-id.ts'
import { temporary } from './testing/fake-engine.ts'

test('the home is the flag, else GANTRY_HOME, else ~/.gantry', () => {
  expect(homeAt('/a', { GANTRY_HOME: '/b' }).root).toBe('/a')
  expect(homeAt(undefined, { GANTRY_HOME: '/b' }).root).toBe('/b')
  expect(homeAt(undefined, {}).root).toMatch(/\/\.gantry$/)
})

test('a home is for its owner only', async () => {
  await using folder = await temporary()
  const home = homeAt(join(folder.path, 'deep/home'))
  await prepareHome(home)
  expect(statSync(home.root).mode & 0o777).toBe(0o700)
})

test('a full disk is refused and the home that was made for it is gone again', async () => {
  await using folder = await temporary()
  const home = homeAt(join(folder.path, 'home'))
  await expect(prepareHome(home, async () => 5 * 1024 ** 2)).rejects.toThrow(/only 5 MiB free.*--home DIR/)
  expect(existsSync(home.root)).toBe(false)
})

test('a home that cannot be made is a sentence with a remedy', async () => {
  await using folder = await temporary()
  writeFileSync(join(folder.path, 'file'), '')
  await expect(prepareHome(homeAt('/proc/no/home'))).rejects.toThrow(/cannot be written/)
  await expect(prepareHome(homeAt(join(folder.path, 'file/home')))).rejects.toThrow(/cannot be written.*GANTRY_HOME/)
})

test('the lock is held by one, is let go, and its holder’s end is seen', async () => {
  await using folder = await temporary()
  const home = homeAt(folder.path)
  expect(await holderOf(home)).toBeUndefined()
  const lock = await HomeLock.take(home)
  await expect(HomeLock.take(home)).rejects.toThrow(/already runs/)
  const holder = await holderOf(home)
  await lock[Symbol.asyncDispose]()
  await holder?.gone
  await using _again = await HomeLock.take(home)
})

test('two homes do not stand in each other’s way', async () => {
  await using a = await temporary()
  await using b = await temporary()
  await using _a = await HomeLock.take(homeAt(a.path))
  await using _b = await HomeLock.take(homeAt(b.path))
})

test('a process with the same number but another start is not the same process', () => {
  const me = processId(process.pid)
  expect(me && isAlive(me)).toBe(true)
  expect(me && isAlive({ ...me, startTicks: me.startTicks + 1 })).toBe(false)
  expect(processId(2 ** 22 + 1)).toBeUndefined()
})

test('a log past its bound is emptied under its writer, which goes on at the new end', async () => {
  await using folder = await temporary()
  const path = join(folder.path, 'a.log')
  using log = openLog(path)
  writeFileSync(log.fd, 'x'.repeat(100))
  boundLog(path, 50)
  writeFileSync(log.fd, 'after\n\n')
  expect(readFileSync(path, 'utf8')).toBe('after\n\n')
  expect(statSync(`${path}.1`).size).toBe(100)
  expect(tailOf(path, 1)).toBe('after')
  expect(tailOf(join(folder.path, 'none'), 1)).toBe('')
})

test('another system and an old Node are refused', () => {
  expect(() => checkPlatform('darwin')).toThrow(/Linux/)
  expect(() => checkPlatform('linux', '20.20.2')).toThrow(/20\.20\.2 is too old.*npm start/)
  checkPlatform('linux', '24.0.0')
})

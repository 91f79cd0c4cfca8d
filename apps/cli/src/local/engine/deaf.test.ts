import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { isDeafTo } from './deaf.ts'

const status = (pids: string, caught: string, blocked = '0') =>
  [`Name:\tx`, `NSpid:\t${pids}`, `SigBlk:\t${blocked.padStart(16, '0')}`, `SigCgt:\t${caught.padStart(16, '0')}`].join(
    '\n',
  )

test.each([
  ['a sleep', 'SIGTERM', status('812\t1', '0'), true],
  ['one that asks for it', 'SIGTERM', status('812\t1', '4000'), false],
  ['one that asks for another', 'SIGTERM', status('812\t1', '2'), true],
  ['one that takes it from a descriptor', 'SIGTERM', status('812\t1', '0', '4000'), false],
  ['one that is no first process, which it would end', 'SIGTERM', status('812', '0'), false],
  ['a second one in its container', 'SIGTERM', status('812\t11', '0'), false],
  ['by its short name', 'QUIT', status('812\t1', '4'), false],
  ['by its number', '3', status('812\t1', '0'), true],
  ['a signal that is not known', 'RTMIN+3', status('812\t1', '0'), false],
  ['a kernel that does not tell', 'SIGTERM', 'NSpid:\t8\t1', false],
])('%s', (_what, signal, text, deaf) => {
  expect(isDeafTo(signal, text)).toBe(deaf)
})

test('a real process that listens, and one that does not, each first in its namespace', async () => {
  const first = async (...script: string[]) => {
    const child = spawn('unshare', ['--pid', '--fork', '--kill-child', '--', ...script], {
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    await once(child.stdout, 'data')
    const [pid] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ')
    const text = readFileSync(`/proc/${pid}/status`, 'utf8')
    child.kill('SIGKILL')
    return text
  }
  expect(isDeafTo('SIGTERM', await first('sh', '-c', 'echo ready; read x; true'))).toBe(true)
  expect(isDeafTo('SIGTERM', await first('sh', '-c', 'trap "exit 0" TERM; echo ready; read x; true'))).toBe(false)
})

import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'

const run = promisify(execFile)

test('a first start without a join token says where it looked for one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-first-start-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const start = (...more: string[]) => {
    const args = ['--join', '127.0.0.1:1', '--engine', `unix://${folder}/engine`, '--state', join(folder, 'state')]
    return run(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args, ...more])
  }
  const missing = join(folder, 'token')
  await expect(start()).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('give a join token') })
  const named = { code: 2, stderr: expect.stringContaining(`${missing}, where the join token`) }
  await expect(start('--token-file', missing)).rejects.toMatchObject(named)
  await writeFile(missing, '\n')
  await expect(start('--token-file', missing)).rejects.toMatchObject(named)
})

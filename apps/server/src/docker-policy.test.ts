import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Caller } from '@gantry/model'
import pino from 'pino'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { dockerPolicy, policyEntries } from './docker-policy.ts'

const log = pino({ level: 'silent' })
const caller = { projectId: 'p1', projectName: 'lab', roles: ['member'] } as unknown as Caller
let folder = ''
let path = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gantry-policy-'))
  path = join(folder, 'docker-policy.yaml')
})
afterEach(() => rm(folder, { recursive: true }))

describe('the policy file', () => {
  test('is read at the start and at each SIGHUP; a later mistake changes nothing', async () => {
    const logged = vi.spyOn(log, 'error')
    using policy = await dockerPolicy({ path, named: false }, log)
    expect(policy.grants.of(caller)).toEqual([])
    await writeFile(path, '- projects: [lab]\n  grant: [Privileged, "CapAdd:NET_ADMIN"]\n')
    process.emit('SIGHUP')
    await vi.waitFor(() => expect(policy.grants.of(caller)).toEqual(['Privileged', 'CapAdd:NET_ADMIN']))
    await writeFile(path, '- projects: [lab]\n  grant: [Privilegd]\n')
    process.emit('SIGHUP')
    await vi.waitFor(() => expect(logged).toHaveBeenCalledOnce())
    expect(policy.grants.of(caller)).toEqual(['Privileged', 'CapAdd:NET_ADMIN'])
  })

  test('that is missing, open to others or no YAML keeps the server from starting', async () => {
    await expect(dockerPolicy({ path, named: true }, log)).rejects.toThrow('There is no Docker policy file')
    await writeFile(path, '- [')
    await expect(dockerPolicy({ path, named: true }, log)).rejects.toThrow('is not YAML: ')
    await chmod(path, 0o666)
    await expect(dockerPolicy({ path, named: false }, log)).rejects.toThrow('chmod go-w')
  })

  test.each<[unknown, string]>([
    ['Privileged', 'must be a list of entries'],
    [['Privileged'], 'entry 1 must have the keys'],
    [[{ grant: ['Privileged'] }], 'says to nobody'],
    [[{ projects: ['a'] }], 'lacks "grant"'],
    [[{ projects: ['a'], grant: [] }], 'at least one'],
    [[{ projects: [7], grant: ['Privileged'] }], 'a number needs quotes'],
    [[{ project: ['a'], grant: ['Privileged'] }], 'has the key "project"'],
    [[{ roles: ['a'], grant: ['NetworkMode:host'] }], 'NetworkMode cannot be granted'],
    [[{ roles: ['a'], grant: ['Everything'] }], 'there is no field "Everything" to grant'],
  ])('%j: %s', (document, sentence) => {
    expect(() => policyEntries(document)).toThrow(sentence)
  })

  test('may be empty', () => {
    expect(policyEntries(null)).toEqual([])
  })
})

import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { mountPoints } from '../../mount-table.ts'
import { programsUnder } from '../../run-program.ts'
import type { AttachedVolume, AttachedVolumes } from '../attached-volumes.ts'
import { attachedVolumes } from '../create-attached.ts'

export const never = new AbortController().signal
export const gib = 2 ** 30

/** A storage of files, and machines that reach it: each a folder of its own on this one. */
export interface AttachedWorld {
  readonly folder: string
  /** Everything the machines warned of. */
  readonly warnings: string[]
  /** The path of a new file of that many GiB. */
  newFile(name: string, size?: number): Promise<string>
  /** The same name again: the process after one that was killed. */
  machine(name: string): AttachedVolumes
  /** As that machine is to have it. */
  volume(machine: string, name: string, changes?: Partial<AttachedVolume>): AttachedVolume
  expectNothingLeft(): Promise<void>
  end(): Promise<void>
}

export async function openAttachedWorld(): Promise<AttachedWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-attached-'))
  const warnings: string[] = []
  const warn = (fields: object, message: string) => warnings.push(`${message} ${JSON.stringify(fields)}`)
  const log = { debug: () => {}, info: () => {}, warn, error: warn }
  const storage = join(folder, 'storage')
  execFileSync('mkdir', ['-p', storage])
  const machines = new Map<string, AttachedVolumes>()
  const loops = () =>
    execFileSync('losetup', ['-n', '-l', '-O', 'BACK-FILE'], { encoding: 'utf8' })
      .split('\n')
      .filter((file) => file.startsWith(`${folder}/`))
  const mounts = async () => (await mountPoints()).filter((point) => point.startsWith(`${folder}/`))

  return {
    folder,
    warnings,
    newFile: async (name, size = 1) => {
      const file = join(storage, name)
      await writeFile(file, '')
      await truncate(file, size * gib)
      return file
    },
    machine: (name) => {
      const own = join(folder, name)
      execFileSync('mkdir', ['-p', own])
      const programs = programsUnder(join(own, 'programs.lock'))
      const made = attachedVolumes({ folder: own, programs, log, host: name, address: '192.0.2.7' })
      machines.set(name, made)
      return made
    },
    volume: (machine, name, changes) => ({
      id: name,
      connection: { driver_volume_type: 'local', device_path: join(storage, name) },
      fsType: 'ext4',
      blank: true,
      readOnly: false,
      size: 1,
      point: join(folder, machine, 'mounts', name, 'data'),
      covered: true,
      ...changes,
    }),
    expectNothingLeft: async () => {
      for (const machine of machines.values()) expect(await machine.list()).toEqual([])
      expect(await mounts()).toEqual([])
      expect(loops()).toEqual([])
      expect(execFileSync('find', [folder, '-name', '*.mounted-by'], { encoding: 'utf8' })).toBe('')
    },
    end: async () => {
      for (const point of (await mounts()).toReversed()) execFileSync('umount', ['--lazy', point])
      for (const file of new Set(loops())) {
        const devices = execFileSync('losetup', ['-n', '-O', 'NAME', '-j', file], { encoding: 'utf8' })
        for (const device of devices.split('\n').filter(Boolean)) execFileSync('losetup', ['-d', device.trim()])
      }
      await rm(folder, { recursive: true, force: true })
    },
  }
}

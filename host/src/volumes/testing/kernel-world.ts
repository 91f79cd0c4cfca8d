import { execFileSync } from 'node:child_process'
import { mkdtempSync, statSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@gantry/kernel'
import type { Assignment, ContainerId, Mount, VolumeId, VolumePlan, VolumeReport } from '@gantry/model'
import { expect } from 'vitest'
import { type HostVolumes, hostVolumes } from '../host-volumes.ts'
import { mountPoints } from '../mount-table.ts'

export const mib = 2 ** 20
export const never = new AbortController().signal
export const id = (name: string) => name as ContainerId

export const volume = (name: string): VolumePlan => ({
  kind: 'volume',
  id: name,
  size: 1,
  source: null,
  made: false,
  gone: false,
})
export const snapshot = (name: string, of: string): VolumePlan => ({
  ...volume(name),
  kind: 'snapshot',
  source: of as VolumeId,
})
export const mountOf = (name: string): Mount => ({
  kind: 'volume',
  volumeId: name as VolumeId,
  destination: '/data',
  readOnly: false,
})
export const report = (kind: VolumeReport['kind'], name: string, state: VolumeReport['state']): VolumeReport => ({
  kind,
  id: name,
  state,
  reason: '',
})
/** Of an assignment only this is read. */
export const assignment = (container: string, mounts: Mount[]) =>
  ({ id: id(container), mounts }) as unknown as Assignment

export interface World {
  readonly folder: string
  readonly volumes: HostVolumes
  file(kind: string, name: string): string
  told(plan: VolumePlan): Promise<VolumeReport>
  nextReport(name: string): Promise<VolumeReport>
  mount(container: string, name: string): Promise<string>
  /** The next one on the same folder, without any farewell of the one before. */
  killed(): Promise<void>
  ourMounts(): Promise<string[]>
  expectNothingMounted(): Promise<void>
  end(): Promise<void>
}

/** `HostVolumes` on a folder of its own, with the loop devices and file systems of this machine. */
export async function openWorld(folder = mkdtempSync(join(tmpdir(), 'gantry-volumes-'))): Promise<World> {
  const listeners = new Set<(report: VolumeReport) => void>()
  const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
  let life = new AbortController()
  const start = () => {
    life = new AbortController()
    const tell = (report: VolumeReport) => {
      for (const listener of listeners) listener(report)
    }
    return hostVolumes({ stateDir: folder, log: silent, clock: systemClock, report: tell, signal: life.signal })
  }
  let volumes = start()

  const nextReport = (name: string) => {
    const { promise, resolve } = Promise.withResolvers<VolumeReport>()
    const listener = (report: VolumeReport) => {
      if (report.id !== name) return
      listeners.delete(listener)
      resolve(report)
    }
    listeners.add(listener)
    return promise
  }
  const ourMounts = async () => (await mountPoints()).filter((point) => point.startsWith(`${folder}/`))
  const ourLoops = () =>
    execFileSync('losetup', ['-n', '-l', '-O', 'BACK-FILE'], { encoding: 'utf8' })
      .split('\n')
      .filter((file) => file.startsWith(`${folder}/`))

  return {
    folder,
    get volumes() {
      return volumes
    },
    file: (kind, name) => join(folder, kind, `${name}.img`),
    nextReport,
    told: (plan) => {
      const report = nextReport(plan.id)
      volumes.take(plan)
      return report
    },
    mount: async (container, name) => {
      const [bind] = await volumes.prepare(assignment(container, [mountOf(name)]), never)
      return bind?.source ?? ''
    },
    killed: async () => {
      life.abort(new Error('killed'))
      volumes = start()
    },
    ourMounts,
    expectNothingMounted: async () => {
      expect(await ourMounts()).toEqual([])
      // The kernel lets go of a loop device a moment after its last user.
      await expect.poll(ourLoops, { timeout: 10_000 }).toEqual([])
    },
    end: async () => {
      // It may be making its folders still.
      await volumes.held()
      life.abort(new Error('the test is over'))
      for (const point of (await ourMounts()).toReversed()) execFileSync('umount', ['--lazy', point])
      // What was being made may still be written.
      await rm(folder, { recursive: true, force: true, maxRetries: 10 })
    },
  }
}

export function fill(path: string, mebibytes: number): void {
  execFileSync('dd', ['if=/dev/zero', `of=${path}`, 'bs=1M', `count=${mebibytes}`, 'conv=fsync'], { stdio: 'pipe' })
}

export function diskUse(path: string): number {
  return statSync(path).blocks * 512
}

export function fileSystemSize(path: string): number {
  return Number(execFileSync('stat', ['-f', '-c', '%b', path], { encoding: 'utf8' })) * 4096
}

import { isDeepStrictEqual } from 'node:util'
import { Fault } from '@gantry/kernel'
import type { Caller, RunOptions } from '@gantry/model'
import type { PolicyVerbs } from '../engine-verbs.ts'

/**
 * Judges options once more where they are written, so that no façade brings in what policy did not grant. What is there
 * `already` stays, whoever changes the rest. Throws `policy.field`.
 */
export function judgeOptions(policy: PolicyVerbs, caller: Caller, all: RunOptions, already: RunOptions = {}): void {
  const isNew = ([name, value]: [string, unknown]) =>
    !isDeepStrictEqual(value, Object.entries(already).find(([key]) => key === name)?.[1])
  const options: RunOptions = Object.fromEntries(Object.entries(all).filter(isNew))
  const { granted = {} } = options
  const judged = (hostConfig: Record<string, unknown>) =>
    policy.judge(caller, { kind: 'container', config: {}, hostConfig, networking: {} })
  const dangerous = judged(granted)
  for (const [field, value] of Object.entries(granted)) {
    if (isDeepStrictEqual(dangerous[field], value)) continue
    throw new Fault('policy.field', { field, reason: 'it is not among what the operator granted' })
  }
  judged({
    CapAdd: options.capAdd,
    CapDrop: options.capDrop,
    ExtraHosts: options.extraHosts,
    IpcMode: options.ipcMode,
    LogConfig: { Config: options.logOptions },
    OomScoreAdj: options.oomScoreAdj,
    ShmSize: options.shmSize,
    Sysctls: options.sysctls,
    Tmpfs: options.tmpfs,
    Ulimits: options.ulimits?.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })),
  })
}

import { Fault } from '@gantry/kernel'

/** This machine cannot do what was asked: one sentence on what is wrong, one on what to do about it. */
export function unfit(problem: string, remedy: string, cause?: unknown): Fault {
  return new Fault('machine.unfit', { problem, remedy }, cause)
}

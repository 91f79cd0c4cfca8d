import type { Status } from './container.ts'

/**
 * From which status each verb is accepted. At least Zun's own table (its API reference), widened where that table traps a
 * container for ever: a crash-looping, unknown or paused one can be stopped and deleted by its owner.
 */
export const transitions = {
  start: ['Created', 'Stopped', 'Error'],
  stop: ['Running', 'Restarting', 'Paused'],
  kill: ['Running', 'Restarting'],
  pause: ['Running'],
  unpause: ['Paused'],
  reboot: ['Created', 'Running', 'Stopped', 'Error', 'Restarting'],
  rebuild: ['Created', 'Running', 'Stopped', 'Error', 'Restarting'],
  update: ['Created', 'Running', 'Stopped', 'Paused'],
  execute: ['Running'],
  resize_tty: ['Running'],
  attach: ['Running'],
  top: ['Running'],
  stats: ['Running'],
  logs: ['Created', 'Error', 'Paused', 'Restarting', 'Running', 'Stopped', 'Unknown', 'Dead'],
  archive: ['Created', 'Paused', 'Running', 'Stopped'],
  commit: ['Running', 'Stopped', 'Paused'],
  rewire: [
    'Creating',
    'Created',
    'Error',
    'Paused',
    'Rebuilding',
    'Restarting',
    'Running',
    'Stopped',
    'Unknown',
    'Dead',
  ],
  delete: ['Created', 'Error', 'Stopped', 'Deleted', 'Dead'],
  delete_stop: [
    'Created',
    'Error',
    'Stopped',
    'Deleted',
    'Dead',
    'Running',
    'Restarting',
    'Unknown',
    'Paused',
    'Creating',
    'Rebuilding',
  ],
  delete_force: [
    'Created',
    'Creating',
    'Error',
    'Running',
    'Stopped',
    'Unknown',
    'Deleted',
    'Dead',
    'Restarting',
    'Rebuilding',
    'Deleting',
    'Paused',
  ],
} as const satisfies Record<string, readonly Status[]>

export type Verb = keyof typeof transitions

export function allows(verb: Verb, status: Status): boolean {
  return (transitions[verb] as readonly Status[]).includes(status)
}

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { allows, statuses, type Verb } from '@gantry/model'

/** What each verb of the model is called in Zun's API, and what else is to be said of it. */
const verbs: Readonly<Record<Verb, readonly [actions: string, note: string]>> = {
  start: ['start', ''],
  stop: ['stop', ''],
  kill: ['kill', ''],
  pause: ['pause', ''],
  unpause: ['unpause', ''],
  reboot: ['reboot', ''],
  rebuild: ['rebuild', ''],
  update: ['PATCH, resize_container', 'a new name alone: in every status'],
  rewire: ['network_attach, network_detach, add_security_group, remove_security_group', ''],
  execute: ['execute', ''],
  resize_tty: [
    'resize, execute_resize',
    '400 instead of 409, the only refusal that clients swallow when a process ends meanwhile',
  ],
  attach: ['attach', 'only what was created interactive; else 400'],
  top: ['top', ''],
  stats: ['stats', ''],
  logs: ['logs', ''],
  archive: ['get_archive, put_archive', ''],
  commit: ['commit', ''],
  delete: ['delete', 'one that has no host yet: as with stop=true; one that is being deleted: 204 again'],
  delete_stop: ['delete stop=true', 'one that is being deleted: 204 again'],
  delete_force: ['delete force=true', 'administrators'],
}

/** docs/states.md, from the one table that the service itself asks. */
export function stateTable(): string {
  const head = `| | ${statuses.join(' | ')} |`
  const rule = `|---|${statuses.map(() => ':-:').join('|')}|`
  const rows = Object.entries(verbs).map(([verb, [actions]]) => {
    const cells = statuses.map((status) => (allows(verb as Verb, status) ? 'yes' : ''))
    return `| ${actions} | ${cells.join(' | ')} |`
  })
  const notes = Object.values(verbs).flatMap(([actions, note]) => (note === '' ? [] : [`- ${actions}: ${note}.`]))
  return `${[
    '# Statuses and what may be done in each',
    '',
    'Made by `node tools/state-table.ts` from `packages/model/src/transitions.ts`; do not edit. Columns are statuses, rows the',
    'actions of the containers API; where a cell is empty the answer is 409. Show, list, `network_list` and the list of actions',
    'answer in every status.',
    '',
    head,
    rule,
    ...rows,
    '',
    ...notes,
    '',
    'Every column but *Deleting* has a "yes" in the row *delete stop=true*: there is no status that an owner cannot leave by',
    'deleting, and from *Deleting* a container only goes away. `tests/conformance/zun-states.test.ts` asks every action in every',
    'status; `tests/conformance/zun-ways-out.test.ts` tries sequences of actions and of mishaps on the host, and ends each with a',
    'delete.',
  ].join('\n')}\n`
}

function main(): void {
  const path = join(import.meta.dirname, '..', 'docs', 'states.md')
  const wanted = stateTable()
  if (!process.argv.includes('--check')) return writeFileSync(path, wanted)
  if (readFileSync(path, 'utf8') === wanted) return
  console.error('docs/states.md is not what packages/model says; run `node tools/state-table.ts`.')
  process.exitCode = 1
}

if (import.meta.main) main()

import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { programsUnder } from '../../run-program.ts'
import type { AttachedVolume } from '../attached-volumes.ts'
import { attachedVolumes } from '../create-attached.ts'

/**
 * A process to be killed, as `machine('one')` of an attached world is: has a volume mounted, writes, and lets it go.
 * Arguments: the folder of the machine, and the volume as JSON. Says `written` once what it wrote is safe.
 */
const [folder = '', json = ''] = process.argv.slice(2)
const volume = JSON.parse(json) as AttachedVolume
// Known to the programs that it starts, of which one is to kill it.
process.env['AGENT_PID'] = String(process.pid)
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
await mkdir(folder, { recursive: true })
const programs = programsUnder(join(folder, 'programs.lock'))
const machine = attachedVolumes({ folder, programs, log: silent, host: 'one', address: '192.0.2.7' })
const never = new AbortController().signal

await machine.mount(volume, never)
const note = await open(join(volume.point, 'note'), 'w')
await note.writeFile('kept')
await note.sync()
await note.close()
process.stdout.write('written\n')
await machine.unmount(volume.id)

import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** When the process that started a program is killed: before it begins, while it runs, or once it has ended. */
export type Moment = 'before' | 'during' | 'after'

export interface DeadlyPrograms {
  /** Of a process that starts programs, whose `AGENT_PID` it is. `at`: the how manyeth program, from 1; 0: none. */
  env(at: number, moment: Moment): NodeJS.ProcessEnv
  /** The names of all programs that were started. */
  started(): Promise<string[]>
}

const programs =
  'mount umount losetup blkid perl rm modprobe e2fsck resize2fs tune2fs xfs_admin xfs_growfs btrfs mkfs.ext4 mkfs.xfs mkfs.btrfs'

/** Wrappers of the machine's programs in a folder for PATH, which count and kill. A program ends with its agent, as always. */
export async function deadlyPrograms(folder: string): Promise<DeadlyPrograms> {
  await mkdir(folder, { recursive: true })
  const log = join(folder, 'started.txt')
  await writeFile(log, '')
  for (const name of programs.split(' ')) {
    const path = join(folder, name)
    await writeFile(path, wrapper(name))
    await chmod(path, 0o755)
  }
  return {
    env: (at, moment) => ({
      ...process.env,
      PATH: `${folder}:${usual}`,
      DEADLY_LOG: log,
      DEADLY_AT: String(at),
      DEADLY_MOMENT: moment,
    }),
    started: async () => (await readFile(log, 'utf8')).split('\n').filter(Boolean),
  }
}

const usual = '/usr/sbin:/usr/bin:/sbin:/bin'

const wrapper = (name: string) => `#!/bin/sh
echo '${name}' >>"$DEADLY_LOG"
number=$(wc -l <"$DEADLY_LOG")
PATH=${usual}
[ "$number" = "$DEADLY_AT" ] || exec ${name} "$@"
case $DEADLY_MOMENT in
before)
  kill -KILL "$AGENT_PID"
  exec sleep 60
  ;;
during)
  (sleep 0.00\${DEADLY_AT}; kill -KILL "$AGENT_PID") >/dev/null 2>&1 &
  exec ${name} "$@"
  ;;
after)
  ${name} "$@"
  kill -KILL "$AGENT_PID"
  ;;
esac
`

import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
import { backoff } from '@gantry/kernel'
import { ProgramError, type Programs } from '../run-program.ts'
import { endingOfOwnerFile, isLockedBy, ownerFile } from './owner-file.ts'

/**
 * Loop devices on files that other machines can open as well. A device keeps the file locked (flock: exclusively, or shared
 * if it is read only) from before there is anything to read until it is gone: the kernel holds the very file description that
 * was locked. So there is no process that could die, no lock without a device, and none that outlives its machine.
 */
export interface LoopDevices {
  /** Resolves with the device. Rejects, naming the machine if it is known, if the file is in use elsewhere. */
  attach(id: string, file: string, options: { readonly readOnly: boolean }): Promise<string>
  /** Found by what we named it, whichever file it is on; null: there is none. */
  find(id: string): Promise<string | null>
  /** Repeatable. Waits a moment for who has it mounted or open, in whatever view of the machine, and rejects then. */
  detach(id: string): Promise<void>
}

export interface LoopOptions {
  /** Distinct for each folder of records: two agents on one machine are as two machines. */
  readonly folder: string
  /** What other machines are told has the file. */
  readonly host: string
  readonly programs: Programs
}

export function loopDevices({ folder, host, programs }: LoopOptions): LoopDevices {
  /** It is in the kernel's own record of the device, hence there from the first moment and gone with it. */
  const tagOf = (id: string) => `gantry-${createHash('sha256').update(`${folder}\0${id}`).digest('hex').slice(0, 40)}`
  const perl = (...args: string[]) => programs.run('perl', ['-e', script, '--', ...args])

  const find = async (id: string): Promise<string | null> => (await perl('find', tagOf(id))).trim() || null

  return {
    find,
    attach: async (id, file, { readOnly }) => {
      try {
        const mode = readOnly ? 'ro' : 'rw'
        return (await perl('attach', tagOf(id), file, mode, ownerFile(file), host)).trim()
      } catch (error) {
        if (!(error instanceof ProgramError && error.exitCode === exitCodes.locked)) throw error
        throw await isLockedBy(file, error)
      }
    },
    detach: async (id) => {
      for (let attempt = 0; ; attempt += 1) {
        try {
          await perl('detach', tagOf(id), endingOfOwnerFile)
          return
        } catch (error) {
          if (!(error instanceof ProgramError && error.exitCode === exitCodes.inUse)) throw error
          if (attempt === mostTries) throw new Error(inUseSentence, { cause: error })
          await backoff(attempt, waits)
        }
      }
    },
  }
}

/** Waits as `detach` does. */
export async function untilFree(device: string): Promise<void> {
  for (let attempt = 0; await isInUse(device); attempt += 1) {
    if (attempt === mostTries) throw new Error(inUseSentence)
    await backoff(attempt, waits)
  }
}

/** The last of those who had it open may take the kernel a moment. */
const waits = { baseMs: 50, maxMs: 800 }
const mostTries = 6
const inUseSentence = 'Something on the host still has it in use.'

const exitCodes = { locked: 75, inUse: 76 } as const

/**
 * `losetup` opens the file anew, which would not be the locked file description; hence this. Numbers from linux/loop.h. Direct
 * I/O: what is written is not kept in memory twice, which halves the speed, and others see it in the file.
 */
const script = `
use strict; use warnings; use Fcntl qw(:DEFAULT :flock);
my ($configure, $clear, $status, $free) = (0x4C0A, 0x4C01, 0x4C05, 0x4C82);
my $layout = 'Q5L4a64a64a32Q2';
my ($verb, $tag, $path, $mode, $owner, $host) = @ARGV;
sub find {
  for my $folder (glob '/sys/block/loop*/loop') {
    my ($name) = $folder =~ m{/(loop\\d+)/};
    sysopen(my $device, "/dev/$name", O_RDONLY) or next;
    my $info = "\\0" x 232;
    defined ioctl($device, $status, $info) or next;
    my @is = unpack($layout, $info);
    (my $found = $is[9]) =~ s/\\0.*//s;
    return ("/dev/$name", @is) if $found eq $tag;
  }
  return;
}
my ($there, @is) = find();
if ($verb eq 'find') { print "$there\\n" if defined $there; exit 0 }
if ($verb eq 'detach') {
  exit 0 unless defined $there;
  # Refused while it is mounted anywhere.
  sysopen(my $device, $there, O_RDONLY | O_EXCL) or exit ${exitCodes.inUse};
  my ($name) = $there =~ m{(loop\\d+)};
  open(my $backing, '<', "/sys/block/$name/loop/backing_file") or die "$there: $!\\n";
  chomp(my $file = <$backing>);
  # While the file is locked still: later the name may be another machine's.
  unlink "$file$path" unless $is[8] & 1;
  defined ioctl($device, $clear, 0) or die "$there: $!\\n";
  close $device;
  exit(defined((find())[0]) ? ${exitCodes.inUse} : 0);
}
my $read_only = $mode eq 'ro';
if (defined $there) {
  my @file = stat $path or die "$path: $!\\n";
  die "$there is on another file\\n" unless $is[1] == $file[1];
  print "$there\\n"; exit 0;
}
sysopen(my $file, $path, $read_only ? O_RDONLY : O_RDWR) or die "$path: $!\\n";
unless (flock($file, ($read_only ? LOCK_SH : LOCK_EX) | LOCK_NB)) {
  exit ${exitCodes.locked} if $!{EWOULDBLOCK} || $!{EAGAIN};
  die "$path cannot be locked: $!\\n";
}
if (!$read_only && open(my $note, '>', $owner)) { print $note "$host\\n"; close $note }
sysopen(my $control, '/dev/loop-control', O_RDWR) or die "cannot find an unused loop device: $!\\n";
for (1 .. 50) {
  my $number = ioctl($control, $free, 0);
  die "cannot find an unused loop device: $!\\n" unless defined $number;
  $number += 0;
  sysopen(my $device, "/dev/loop$number", $read_only ? O_RDONLY : O_RDWR) or die "failed to set up loop device: $!\\n";
  my $info = pack($layout, 0, 0, 0, 0, 0, 0, 0, 0, ($read_only ? 1 : 0) | 16, $tag, '', '', 0, 0);
  my $order = pack('LL', fileno($file), 0) . $info . ("\\0" x 64);
  if (defined ioctl($device, $configure, $order)) { print "/dev/loop$number\\n"; exit 0 }
  # Somebody else was quicker.
  die "failed to set up loop device: $!\\n" unless $!{EBUSY};
}
die "cannot find an unused loop device\\n";
`

/** Whether it is mounted anywhere on the machine, in whatever view of it, or otherwise kept for one user alone. */
export async function isInUse(device: string): Promise<boolean> {
  try {
    const file = await open(device, constants.O_RDONLY | constants.O_EXCL)
    await file.close()
    return false
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EBUSY') return true
    throw error
  }
}

/** Bytes. */
export async function sizeOf(device: string): Promise<number> {
  const { rdev } = await stat(device)
  const [major, minor] = [(rdev >> 8) & 0xfff, (rdev & 0xff) | ((rdev >> 12) & 0xfff00)]
  return 512 * Number((await readFile(`/sys/dev/block/${major}:${minor}/size`, 'utf8')).trim())
}

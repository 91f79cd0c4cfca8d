import { tarEnd, wholeFile } from '@gantry/kernel'

/**
 * The image of capsules' sandboxes: one static program that waits to be told to end. Its few machine instructions are written
 * here so that no host has to fetch it from anywhere.
 */
export function sandboxTar(architecture: string = process.arch): Buffer {
  return Buffer.concat([wholeFile(sandboxProgram, waitingProgram(architecture), 0o755), tarEnd])
}

/** Path in the image, without the leading slash. */
export const sandboxProgram = 'wait'

/** Block SIGTERM and SIGINT, which process 1 would never get otherwise; wait for one; exit with 0. */
function waitingProgram(architecture: string): Buffer {
  switch (architecture) {
    case 'x64':
      return elf(0x3e, x64Code)
    case 'arm64':
      return elf(0xb7, arm64Code())
    default:
      throw new Error(`There is no sandbox program for ${architecture}.`)
  }
}

/** SIGINT (2) and SIGTERM (15) as the kernel's set of 64 bits. */
const signals = Buffer.from([0x02, 0x40, 0, 0, 0, 0, 0, 0])

const x64Code = Buffer.concat([
  Buffer.from('b80e000000', 'hex'), // mov eax, rt_sigprocmask
  Buffer.from('31ff', 'hex'), // xor edi, edi        SIG_BLOCK
  Buffer.from('488d3529000000', 'hex'), // lea rsi, [signals]
  Buffer.from('31d2', 'hex'), // xor edx, edx
  Buffer.from('41ba08000000', 'hex'), // mov r10d, 8
  Buffer.from('0f05', 'hex'), // syscall
  Buffer.from('b880000000', 'hex'), // mov eax, rt_sigtimedwait
  Buffer.from('488d3d13000000', 'hex'), // lea rdi, [signals]
  Buffer.from('31f6', 'hex'), // xor esi, esi
  Buffer.from('31d2', 'hex'), // xor edx, edx
  Buffer.from('0f05', 'hex'), // syscall              r10 is still 8
  Buffer.from('85c0', 'hex'), // test eax, eax
  Buffer.from('78ea', 'hex'), // js, back to rt_sigtimedwait
  Buffer.from('b83c000000', 'hex'), // mov eax, exit
  Buffer.from('31ff', 'hex'), // xor edi, edi
  Buffer.from('0f05', 'hex'), // syscall
  signals,
])

function arm64Code(): Buffer {
  const move = (register: number, value: number) => 0xd2800000 | (value << 5) | register
  const addressOf = (register: number, ahead: number) => 0x10000000 | ((ahead >> 2) << 5) | register
  const call = 0xd4000001
  const code = [
    move(8, 135), // rt_sigprocmask
    move(0, 0),
    addressOf(1, 14 * 4),
    move(2, 0),
    move(3, 8),
    call,
    move(8, 137), // rt_sigtimedwait
    addressOf(0, 9 * 4),
    move(1, 0),
    move(2, 0),
    call,
    0x37f80000 | ((-5 & 0x3fff) << 5), // tbnz w0, #31, back to rt_sigtimedwait
    move(8, 93), // exit
    move(0, 0),
    call,
    0, // The signals lie on a multiple of 8.
  ]
  const bytes = Buffer.alloc(code.length * 4)
  code.forEach((word, at) => bytes.writeUInt32LE(word >>> 0, at * 4))
  return Buffer.concat([bytes, signals])
}

/** A file with one segment that is loaded as a whole: header, program header, code (System V ABI, ELF-64). */
function elf(machine: number, code: Buffer): Buffer {
  const base = 0x400000
  const header = Buffer.alloc(0x78)
  header.write('\x7fELF\x02\x01\x01', 0, 'latin1')
  header.writeUInt16LE(2, 0x10) // executable
  header.writeUInt16LE(machine, 0x12)
  header.writeUInt32LE(1, 0x14)
  header.writeBigUInt64LE(BigInt(base + header.length), 0x18) // entry
  header.writeBigUInt64LE(0x40n, 0x20) // program headers
  header.writeUInt16LE(0x40, 0x34)
  header.writeUInt16LE(0x38, 0x36)
  header.writeUInt16LE(1, 0x38)
  const size = BigInt(header.length + code.length)
  header.writeUInt32LE(1, 0x40) // to be loaded
  header.writeUInt32LE(5, 0x44) // readable, executable
  header.writeBigUInt64LE(BigInt(base), 0x50)
  header.writeBigUInt64LE(BigInt(base), 0x58)
  header.writeBigUInt64LE(size, 0x60)
  header.writeBigUInt64LE(size, 0x68)
  header.writeBigUInt64LE(0x1000n, 0x70)
  return Buffer.concat([header, code])
}

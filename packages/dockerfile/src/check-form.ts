import { namedValues, quotedWords, wordList } from './arguments.ts'
import { atLine, type Instruction } from './dockerfile.ts'
import { splitPair } from './expand.ts'
import { healthcheckOf } from './healthcheck.ts'

/** What is wrong with an instruction before anything is built. Throws `BuildError`. */
export function checkForm(instruction: Instruction, escape: string): void {
  const { name, rest, line, flags } = instruction
  if (rest === '' && name !== 'CMD' && name !== 'ENTRYPOINT') {
    const exactly = ['USER', 'WORKDIR', 'STOPSIGNAL', 'MAINTAINER'].includes(name)
    if (name !== 'RUN') throw atLine(line, `${name} requires ${exactly ? 'exactly' : 'at least'} one argument`)
  }
  if (name === 'ENV' || name === 'LABEL') namedValues(instruction, escape)
  if (name === 'STOPSIGNAL' && quotedWords(rest, escape).length !== 1) {
    throw atLine(line, `${name} requires exactly one argument`)
  }
  if (name === 'HEALTHCHECK') healthcheckOf(instruction)
  if ((name === 'COPY' || name === 'ADD') && wordList(rest).length < 2) {
    const problem = 'requires at least two arguments, but only one was provided. Destination could not be determined'
    throw atLine(line, `${name} ${problem}`)
  }
  const [flag] = flags
  const takesFlags = ['COPY', 'ADD', 'RUN', 'HEALTHCHECK', 'FROM'].includes(name)
  if (flag !== undefined && !takesFlags) throw atLine(line, `Unknown flag: ${splitPair(flag).name}`)
}

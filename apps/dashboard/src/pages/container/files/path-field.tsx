import { TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { normal } from './entries.ts'

interface PathFieldProps {
  readonly path: string
  readonly onOpen: (path: string) => void
}

/** Goes to a folder whose path one knows. */
export function PathField({ path, onOpen }: PathFieldProps) {
  const [text, setText] = useState(path)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    onOpen(normal(text))
  }
  return (
    <form onSubmit={submit}>
      <TextInput
        size="xs"
        aria-label="Path of a folder"
        value={text}
        onChange={({ currentTarget }) => setText(currentTarget.value)}
      />
    </form>
  )
}

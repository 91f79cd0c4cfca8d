import { TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { useId, useState } from 'react'

interface WordFieldProps {
  readonly label: string
  /** As it stands in the address. */
  readonly value: string
  /** To choose from; anything else may be written. */
  readonly suggestions?: readonly string[]
  readonly maxLength?: number
  readonly onChange: (value: string) => void
}

/** A word to filter by, told once one has stopped writing. */
export function WordField({ label, value, suggestions = [], maxLength = 255, onChange }: WordFieldProps) {
  const [text, setText] = useState(value)
  const [known, setKnown] = useState(value)
  // The address was changed by something else: `Clear`, or going back.
  if (known !== value) {
    setKnown(value)
    if (text.trim() !== value) setText(value)
  }
  const later = useDebouncedCallback(onChange, 300)
  const list = useId()
  return (
    <>
      <TextInput
        label={label}
        value={text}
        list={list}
        maxLength={maxLength}
        onChange={({ currentTarget }) => {
          setText(currentTarget.value)
          later(currentTarget.value)
        }}
        w={150}
      />
      <datalist id={list}>
        {suggestions.map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
    </>
  )
}

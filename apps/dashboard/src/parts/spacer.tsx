/** Stands for the rows of a table that are out of sight; `className`: without padding and border. */
export function Spacer({ height, className }: { readonly height: number; readonly className: string | undefined }) {
  if (height <= 0) return null
  return (
    <tr className={className} aria-hidden>
      <td style={{ height }} />
    </tr>
  )
}

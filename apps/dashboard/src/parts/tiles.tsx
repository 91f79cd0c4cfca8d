import type { ReactNode } from 'react'
import classes from './tiles.module.css'

/** Boxes of like size beside each other, as many as there is room for. */
export function Tiles({ children }: { readonly children: ReactNode }) {
  return <div className={classes['tiles']}>{children}</div>
}

// What is wrong in a project's files, as the server says it.
export interface Found {
  file: string;
  line: number;
  column: number;
  level: string;
  message: string;
  caret?: string;
}

export function Problems({ of, onGo }: { of: Found[]; onGo: (found: Found) => void }) {
  return (
    <ul class="problems" aria-label="Problems">
      {of.map((each, i) => <li key={i} class={each.level === 'warning' ? 'warning' : 'error'}>
        <button type="button" class="link" onClick={() => onGo(each)}>{each.file}:{each.line}:{each.column}</button> {each.message}
        {each.caret && <pre>{each.caret}</pre>}</li>)}
    </ul>
  );
}

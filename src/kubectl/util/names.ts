const LABEL_VALUE = '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?';

function regexError(message: string, format: string, examples: readonly string[]): string {
  const shown = examples.map((example) => `'${example}'`);
  const text = shown.length > 1 ? `${shown.map((each, index) => (index === 0 ? each : ` or ${each}`)).join(', ')}` : shown.join('');
  return `${message} (e.g. ${text.replaceAll(',  or', ',  or')}, regex used for validation is '${format}')`;
}

/** validation.IsValidLabelValue. */
export function labelValueProblems(value: string): string[] {
  const problems: string[] = [];
  if (value.length > 63) problems.push('must be no more than 63 bytes');
  if (!new RegExp(`^${LABEL_VALUE}$`).test(value)) {
    problems.push(
      regexError(
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
        LABEL_VALUE,
        ['MyValue', 'my_value', '12345'],
      ),
    );
  }
  return problems;
}

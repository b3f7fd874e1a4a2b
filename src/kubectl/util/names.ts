const LABEL_VALUE = '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?';

function regexError(message: string, format: string, examples: readonly string[]): string {
  const shown = examples.map((example) => `'${example}'`);
  const text = shown.length > 1 ? `${shown.map((each, index) => (index === 0 ? each : ` or ${each}`)).join(', ')}` : shown.join('');
  return `${message} (e.g. ${text.replaceAll(',  or', ',  or')}, regex used for validation is '${format}')`;
}

const QUALIFIED_NAME = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const SUBDOMAIN = '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*';

/** validation.IsQualifiedName: the key of a label, annotation or taint. */
export function qualifiedNameProblems(value: string): string[] {
  const problems: string[] = [];
  const message = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
  const parts = value.split('/');
  const name = parts.at(-1) ?? '';
  if (parts.length > 2) {
    return [
      `a qualified name ${regexError(message, QUALIFIED_NAME, ['MyName', 'my.name', '123-abc'])} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  if (parts.length === 2) {
    const prefix = parts[0] ?? '';
    if (prefix === '') problems.push('prefix part must be non-empty');
    else if (!new RegExp(`^${SUBDOMAIN}$`).test(prefix)) {
      const text =
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
      problems.push(`prefix part ${regexError(text, SUBDOMAIN, ['example.com'])}`);
    }
  }
  if (name === '') problems.push('name part must be non-empty');
  else if (name.length > 63) problems.push('name part must be no more than 63 bytes');
  if (!new RegExp(`^${QUALIFIED_NAME}$`).test(name)) problems.push(`name part ${regexError(message, QUALIFIED_NAME, ['MyName', 'my.name', '123-abc'])}`);
  return problems;
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

"""From templates to findings: CloudFormation's schemas, rules of our own, and equality with the plan."""

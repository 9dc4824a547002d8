"""The two-VPC topology as CDK constructs, each usable alone; what each costs and which limit binds is in its docstring.

The rule: a construct takes frozen values and tokens, makes resources of CloudFormation's own types, looks nothing up,
and lets others find it through SSM parameters. Resources are generic (`CfnResource`): 100 of them take 0.2 s, 100 of
CDK's typed ones 2.8 s and their modules' import 7 s (measured on two busy cores); `fig infra check` holds them against
CloudFormation's schemas instead.
"""

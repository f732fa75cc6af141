<#
A worker for Intent Bus: claims intents of one goal, runs one of the actions below for each, and settles it.
It needs Windows PowerShell 5.1, or PowerShell 7 on any system.

  Run it:   powershell -ExecutionPolicy Bypass -File worker.ps1      with PowerShell 7: pwsh worker.ps1
  Stop it:  Ctrl+C; a running action is ended, and its intent given back

A payload chooses an action by its name, {"action":"disk"}, and gives it data. No part of it ever becomes a command.
#>

# ---- Configuration ---------------------------------------------------------------------------------------------------

$BusUrl = if ($env:INTENT_BUS_URL) { $env:INTENT_BUS_URL } else { 'http://127.0.0.1:7610' }
$Goal = 'greet'
$Namespace = 'default'
# The key: this one, or if empty what INTENT_API_KEY holds, or else what stands in the file.
$ApiKey = ''
$KeyFile = Join-Path $HOME '.apikey'
# The root certificate of a bus that is shared over HTTPS: this file, or if empty the one that INTENT_BUS_CA names. It needs
# PowerShell 7.3; Windows PowerShell trusts what Windows does (Import-Certificate).
$CaFile = ''
# Results that the bus has not confirmed yet; an intent that comes again is settled with them.
$StateDir = Join-Path $HOME '.intent-bus-results'

# ---- Actions: all that this worker can do ----------------------------------------------------------------------------
# Each runs in a process of its own, which knows nothing of this file. What it returns is the result. An error fails the
# intent, with its message as the reason.

$Actions = @{
    echo = {
        param($Payload)
        # With a comma in front an array stays one.
        , $Payload
    }

    disk = {
        param($Payload)
        $drives = Get-PSDrive -PSProvider FileSystem | Where-Object { $_.Free } | Select-Object -Property Name, Used, Free
        @{ drives = @($drives) }
    }

    # {"action":"wait","seconds":90}
    wait = {
        param($Payload)
        $seconds = $Payload.seconds
        $isNumber = $seconds -is [int] -or $seconds -is [long] -or $seconds -is [double] -or $seconds -is [decimal]
        if (-not $isNumber -or $seconds -lt 0 -or $seconds -gt 3600) { throw 'seconds must be a number from 0 to 3600.' }
        Start-Sleep -Milliseconds ([int]($seconds * 1000))
        @{ waited = $seconds }
    }
}
# Runs when a payload names no action.
$DefaultAction = 'echo'

# ---- The worker ------------------------------------------------------------------------------------------------------

$ErrorActionPreference = 'Stop'
# Seconds: how long a claim waits at the bus, how long any answer may take, the rest between claims where no bus waits.
$Wait = 30
$Patience = 10
$Poll = 2
# SPEC 7.4: the seconds that an extension may ask for.
$MinExtension = 10
$MaxExtension = 3600
$Clock = [Diagnostics.Stopwatch]::StartNew()

function Write-Log([string]$Text) {
    Write-Host "$(Get-Date -Format 'yyyy-MM-dd HH:mm:ss') $Text"
}

function Exit-With([string]$Sentence) {
    [Console]::Error.WriteLine("worker.ps1: $Sentence")
    exit 2
}

# Whether a file can be read by more than its owner, administrators and the system.
function Test-OthersMayRead([string]$Path) {
    if ($env:OS -ne 'Windows_NT') { return (Get-Item -LiteralPath $Path -Force).UnixMode -notmatch '^.{4}------' }
    # Everyone, authenticated users, users.
    $others = 'S-1-1-0', 'S-1-5-11', 'S-1-5-32-545'
    $rules = (Get-Acl -LiteralPath $Path).GetAccessRules($true, $true, [Security.Principal.SecurityIdentifier])
    foreach ($rule in $rules) {
        if ($rule.AccessControlType -eq 'Allow' -and $others -contains $rule.IdentityReference.Value) { return $true }
    }
    return $false
}

function Read-Key {
    $given = $env:INTENT_API_KEY
    # Actions need not know it.
    $env:INTENT_API_KEY = $null
    $key = if ($ApiKey) { $ApiKey } else { $given }
    if (-not $key) {
        if (-not (Test-Path -LiteralPath $KeyFile -PathType Leaf)) {
            $paired = 'On a machine that is paired with the bus, run this first: intent-bus buses env --shell powershell | Out-String | Invoke-Expression'
            Exit-With "No key. Set INTENT_API_KEY, or put the key into $KeyFile; the interface has them under Keys. $paired"
        }
        if (Test-OthersMayRead $KeyFile) { Write-Warning "Others may read $KeyFile. Let only your user read it." }
        $key = [IO.File]::ReadAllText($KeyFile).Trim()
    }
    if ($key -notmatch '\A[!-~]([ -~]*[!-~])?\z') { Exit-With 'The key is empty, or has characters that no key has.' }
    return $key
}

# Sends a POST with JSON text. Gives the status, 0 without an answer, the answer's JSON and text, and Retry-After in seconds.
function Send-Request([string]$Path, [string]$Body, [int]$Seconds) {
    $cancel = [Threading.CancellationTokenSource]::new()
    try {
        $content = [Net.Http.StringContent]::new($Body, [Text.Encoding]::UTF8, 'application/json')
        $cancel.CancelAfter($Seconds * 1000)
        $task = $Client.PostAsync("$($BusUrl.TrimEnd('/'))$Path", $content, $cancel.Token)
        # In small steps, because Ctrl+C is heard between two of them.
        while (-not $task.IsCompleted) { Start-Sleep -Milliseconds 50 }
        $response = $task.GetAwaiter().GetResult()
        $text = $response.Content.ReadAsStringAsync().GetAwaiter().GetResult()
    }
    catch {
        $problem = $_.Exception.GetBaseException().Message
        return [pscustomobject]@{ Status = 0; Json = $null; Text = ''; RetryAfter = 0; Problem = $problem }
    }
    finally {
        $cancel.Dispose()
    }
    $json = $null
    if ($text) { try { $json = ConvertFrom-Json -InputObject $text } catch { $json = $null } }
    $retryAfter = 0
    if ($response.Headers.RetryAfter -and $response.Headers.RetryAfter.Delta) {
        $retryAfter = [int]$response.Headers.RetryAfter.Delta.TotalSeconds
    }
    $status = [int]$response.StatusCode
    $problem = if ($json -and $json.error) { $json.error.message } else { "it answered $status" }
    return [pscustomobject]@{ Status = $status; Json = $json; Text = $text; RetryAfter = $retryAfter; Problem = $problem }
}

# Whether the same request may be answered otherwise in a while.
function Test-Trouble($Answer) {
    return $Answer.Status -eq 0 -or $Answer.Status -eq 408 -or $Answer.Status -eq 429 -or $Answer.Status -ge 500
}

# The intent that was claimed. PowerShell cannot read JSON that is very deep, or has names that differ only in case: of such
# an intent there is what settling it takes, and a flag. Nothing is given when it is no intent at all.
function Read-Intent($Answer) {
    $intent = $Answer.Json
    if (-not $intent) {
        $id = [regex]::Match($Answer.Text, '\A\{"id":"([0-9A-Za-z]+)"')
        # The payload stands before the token; what looks like one in there is not the last.
        $tokens = [regex]::Matches($Answer.Text, '"claim_token":"([0-9A-Za-z]+)"')
        if (-not $id.Success -or $tokens.Count -eq 0) { return $null }
        $token = $tokens[$tokens.Count - 1].Groups[1].Value
        $intent = [pscustomobject]@{
            id = $id.Groups[1].Value
            claim_token = $token
            claim_timeout = $MinExtension
            is_unreadable = $true
        }
    }
    # The id becomes the name of a file.
    if ($intent.id -notmatch '\A[0-9A-Za-z]+\z') { return $null }
    return $intent
}

function New-Lease($Intent) {
    $now = $Clock.Elapsed.TotalSeconds
    $length = $Intent.claim_timeout
    $seconds = [int][Math]::Min([Math]::Max($length, $MinExtension), $MaxExtension)
    # The shortest extension is longer than a very short lease.
    $first = if ($length -lt $MinExtension) { 0 } else { $seconds / 3 }
    return @{ Id = $Intent.id; Token = $Intent.claim_token; Seconds = $seconds; Ends = $now + $length; Due = $now + $first }
}

# Extends the lease if it is time to. False when it is lost.
function Update-Lease($Lease) {
    $now = $Clock.Elapsed.TotalSeconds
    if ($now -ge $Lease.Ends) { return $false }
    if ($now -lt $Lease.Due) { return $true }
    $left = [int][Math]::Ceiling($Lease.Ends - $now)
    $body = "{`"claim_token`":`"$($Lease.Token)`",`"seconds`":$($Lease.Seconds)}"
    $answer = Send-Request "/extend_claim/$($Lease.Id)" $body ([Math]::Min($Patience, $left))
    if ($answer.Status -eq 200) {
        $Lease.Ends = $now + $Lease.Seconds
        $Lease.Due = $now + $Lease.Seconds / 3
    }
    elseif (Test-Trouble $answer) {
        $Lease.Due = $now + [Math]::Max($answer.RetryAfter, 1)
    }
    else {
        $Lease.Ends = $now
    }
    return $Clock.Elapsed.TotalSeconds -lt $Lease.Ends
}

# Sends it until there is an answer, or the lease is lost; then nothing is given.
function Send-Outcome([string]$What, [string]$Field, [string]$Json, $Lease) {
    while (Update-Lease $Lease) {
        $body = "{`"claim_token`":`"$($Lease.Token)`",`"$Field`":$Json}"
        $answer = Send-Request "/$What/$($Lease.Id)" $body $Patience
        if (-not (Test-Trouble $answer)) { return $answer }
        Start-Sleep -Seconds ([Math]::Max($answer.RetryAfter, 1))
    }
    return $null
}

function Send-Failure([string]$Reason, $Lease) {
    $cut = $Reason.Substring(0, [Math]::Min(500, $Reason.Length))
    $answer = Send-Outcome 'fail' 'error' (ConvertTo-Json -InputObject $cut -Compress) $Lease
    $done = if ($answer -and $answer.Status -eq 200) { 'failed' } else { 'not failed' }
    Write-Log "$done $($Lease.Id)"
}

# Runs an action on the payload of a claim, which is JSON text, and keeps the lease meanwhile. Gives the result as JSON text.
function Invoke-Action([string]$Name, [string]$Claim, $Lease) {
    $job = Start-Job -ArgumentList $Actions[$Name].ToString(), $Claim -ScriptBlock {
        param([string]$Action, [string]$Claim)
        $ErrorActionPreference = 'Stop'
        # Windows PowerShell would write some arrays as objects.
        Remove-TypeData -TypeName System.Array -ErrorAction SilentlyContinue
        $result = & ([scriptblock]::Create($Action)) (ConvertFrom-Json -InputObject $Claim).payload
        if ($null -eq $result) { 'null' } else { ConvertTo-Json -InputObject $result -Compress -Depth 20 }
    }
    try {
        while (-not (Wait-Job -Job $job -Timeout 1)) {
            if (-not (Update-Lease $Lease)) { throw 'The lease is lost; the action was ended.' }
        }
        if ($job.State -ne 'Completed') {
            $reason = $job.ChildJobs[0].JobStateInfo.Reason
            if ($reason) { throw $reason.Message } else { throw 'The action failed.' }
        }
        return (Receive-Job -Job $job) -join ''
    }
    finally {
        Remove-Job -Job $job -Force
    }
}

# Forgets what an intent came to, if it could be kept.
function Remove-Result([string]$Path) {
    if (-not (Test-Path -LiteralPath $Path)) { return }
    try { Remove-Item -LiteralPath $Path }
    catch { Write-Log "$Path cannot be removed, and settles its intent again if that is retried: $($_.Exception.Message)" }
}

# Runs the action that a claimed intent names, and settles it.
function Complete-Intent($Intent, [string]$Claim) {
    $lease = New-Lease $Intent
    if ($Intent.is_unreadable) {
        Send-Failure 'PowerShell cannot read this payload.' $lease
        return
    }
    $kept = Join-Path $StateDir $Intent.id
    if (Test-Path -LiteralPath $kept) {
        Write-Log "claimed $($Intent.id) again: what it came to is known"
        $result = [IO.File]::ReadAllText($kept)
    }
    else {
        $name = $DefaultAction
        if ($Intent.payload -is [Management.Automation.PSCustomObject] -and $Intent.payload.PSObject.Properties['action']) {
            $name = $Intent.payload.action
        }
        if ($name -isnot [string] -or -not $Actions.ContainsKey($name)) {
            Send-Failure "Unknown action. This worker knows: $(($Actions.Keys | Sort-Object) -join ', ')." $lease
            return
        }
        Write-Log "claimed $($Intent.id): $name"
        try {
            $result = Invoke-Action $name $Claim $lease
        }
        catch {
            Send-Failure $_.Exception.Message $lease
            return
        }
        try {
            [IO.File]::WriteAllText("$kept.new", $result)
            Move-Item -LiteralPath "$kept.new" -Destination $kept -Force
        }
        catch {
            # The bus may well take it all the same.
            $again = 'cannot be kept, and is done again if the bus does not hear of it now'
            Write-Log "what $($Intent.id) came to ${again}: $($_.Exception.Message)"
        }
    }
    $answer = Send-Outcome 'fulfill' 'result' $result $lease
    if (-not $answer) {
        Write-Log "not fulfilled $($Intent.id): the lease is lost"
    }
    elseif ($answer.Status -eq 200) {
        Remove-Result $kept
        Write-Log "fulfilled $($Intent.id)"
    }
    elseif ($answer.Status -eq 400 -or $answer.Status -eq 413) {
        Remove-Result $kept
        Send-Failure $answer.Problem $lease
    }
    else {
        Write-Log "not fulfilled $($Intent.id): $($answer.Problem)"
    }
}

Add-Type -AssemblyName System.Net.Http
# Windows PowerShell may still offer less.
$tls12 = [Net.SecurityProtocolType]::Tls12
[Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor $tls12
$Key = Read-Key
[void](New-Item -ItemType Directory -Path $StateDir -Force)
# The bus has forgotten these intents.
Get-ChildItem -LiteralPath $StateDir -File | Where-Object { $_.LastWriteTime -lt (Get-Date).AddDays(-8) } | Remove-Item

if (-not $CaFile) { $CaFile = $env:INTENT_BUS_CA }
if ($CaFile) {
    $version = $PSVersionTable.PSVersion
    if ($version.Major -lt 7 -or ($version.Major -eq 7 -and $version.Minor -lt 3)) {
        Exit-With "This PowerShell trusts what the system does: import $CaFile there, and leave it out here."
    }
    $policy = [Security.Cryptography.X509Certificates.X509ChainPolicy]::new()
    $policy.TrustMode = 'CustomRootTrust'
    # The bus keeps no list of certificates that were withdrawn.
    $policy.RevocationMode = 'NoCheck'
    $policy.CustomTrustStore.ImportFromPemFile($CaFile)
    $handler = [Net.Http.SocketsHttpHandler]::new()
    $handler.SslOptions.CertificateChainPolicy = $policy
}
else {
    $handler = [Net.Http.HttpClientHandler]::new()
}
# A redirect, followed, would take the key elsewhere.
$handler.AllowAutoRedirect = $false
# A proxy of the system or the environment is no place for it either.
$handler.UseProxy = $false
$Client = [Net.Http.HttpClient]::new($handler)
$Client.DefaultRequestHeaders.Add('X-API-KEY', $Key)
$Client.DefaultRequestHeaders.Add('X-Worker-ID', ([Environment]::MachineName -replace '[^A-Za-z0-9_.:-]', ''))

$query = "/claim?goal=$([uri]::EscapeDataString($Goal))&namespace=$([uri]::EscapeDataString($Namespace))&wait=$Wait"
$failures = 0
$held = $null
Write-Log "asking $BusUrl for $Goal"
try {
    while ($true) {
        $asked = $Clock.Elapsed.TotalSeconds
        $answer = Send-Request $query '' ($Wait + $Patience)
        if ($answer.Status -eq 200) {
            $failures = 0
            $held = Read-Intent $answer
            if (-not $held) { Exit-With 'What answers there is no Intent Bus.' }
            Complete-Intent $held $answer.Text
            $held = $null
        }
        elseif ($answer.Status -eq 204) {
            $failures = 0
            # Answered at once, the bus does not know of waiting, or cannot now: then rest here.
            if ($Clock.Elapsed.TotalSeconds - $asked -lt $Poll) { Start-Sleep -Seconds ([Math]::Max($answer.RetryAfter, $Poll)) }
        }
        elseif (Test-Trouble $answer) {
            $failures = [Math]::Min($failures + 1, 5)
            Write-Log "${BusUrl}: $($answer.Problem)"
            $rest = if ($answer.RetryAfter) { $answer.RetryAfter } else { [Math]::Pow(2, $failures) - 1 }
            Start-Sleep -Seconds $rest
        }
        elseif ($answer.Status -eq 401) {
            Exit-With 'The bus does not know this key. Take the right one from the interface, under Keys.'
        }
        else {
            Exit-With "The bus refused the claim: $($answer.Problem)"
        }
    }
}
finally {
    # After Ctrl+C only methods can be relied on here, no commands.
    if ($held) {
        $body = "{`"claim_token`":`"$($held.claim_token)`",`"error`":`"The worker was stopped.`"}"
        $content = [Net.Http.StringContent]::new($body, [Text.Encoding]::UTF8, 'application/json')
        # Without an answer the intent is open again when its lease ends.
        try { [void]$Client.PostAsync("$($BusUrl.TrimEnd('/'))/fail/$($held.id)", $content).Wait(5000) } catch { }
    }
    $Client.Dispose()
}
